def install(library):
    pass
