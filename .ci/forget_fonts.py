"""Write matplotlib's font cache as if only its own fonts were there (set MPLCONFIGDIR first).

So the tests run as on a machine without Chinese fonts, or where such fonts came after the cache.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib
from matplotlib import font_manager

manager = font_manager.fontManager
own = str(Path(matplotlib.get_data_path()))
manager.ttflist = [font for font in manager.ttflist if font.fname.startswith(own)]
cache = Path(matplotlib.get_cachedir()) / f"fontlist-v{manager.__version__}.json"
font_manager.json_dump(manager, cache)
