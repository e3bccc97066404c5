"""`replay upgrade`: bring a store that an older version has made to this version's revision."""

from replay.cli.command import StoreOption, answering, opened, read_settings, say
from replay.store.revision import HEAD
from replay.store.upgrade import upgrade


@answering
def upgrade_store(*, store: StoreOption = None) -> int:
    """Bring a store to this version's schema revision, with a backup first."""
    settings = read_settings(store)
    done = upgrade(settings.store, before_change=_say_backup)
    with opened(settings) as found_store:  # proves it, and takes in what was captured meanwhile
        name = found_store.name
    if done is None:
        say(f"{name} has revision {HEAD}; nothing to do")
    else:
        say(f"upgraded {name} from revision {done.before} to {done.after}")
    return 0


def _say_backup(backup: str) -> None:
    say(f"backup: {backup}")
