"""The command line `pairlab`: one module a command, all put together in `commands`, run by `main`."""
