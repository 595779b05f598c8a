"""The built-in options: one folder a kind, one file an option, registered as anybody else's are.

Each folder offers the hook of its kind: ``losses`` offers ``wildreid_losses``, and so does this module.
"""

import pkgutil
from importlib import import_module

for _kind in pkgutil.iter_modules(__path__):
    _hook = f"wildreid_{_kind.name}"
    globals()[_hook] = getattr(import_module(f"{__name__}.{_kind.name}"), _hook)
