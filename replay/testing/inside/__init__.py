"""A replay in the process of the test itself: what is put in place for it, and taken away."""
