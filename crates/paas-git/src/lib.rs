//! Bare repositories, receive-pack, hooks and the ssh command line.
