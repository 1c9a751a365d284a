"""Start-up without the collector of cycles: a command's modules are hundreds of thousands of objects, and all stay."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def starting() -> Iterator[None]:
    """What is loaded in the block is not looked at while it comes, nor ever again."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
