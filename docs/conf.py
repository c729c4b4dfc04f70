"""Sphinx: builds offline, with warnings as errors, and loads nothing from elsewhere."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

import custvalue

project = "custvalue"
author = "The custvalue developers"
project_copyright = author
version = release = custvalue.__version__
language = "en"

extensions = [
    "api_pages",
    "breaks",
    "live_report",
    "mathml",
    "outputs",
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "_ext", "_live", "gallery/*", "gallery_out/*.ipynb"]
nb_execution_mode = "off"  # notebooks are stored as they ran; a test runs them
templates_path = ["_templates"]
html_static_path = ["_static"]
html_extra_path = ["_live"]
html_css_files = ["custvalue.css"]
html_js_files = ["any_word.js"]
html_sidebars = {"tutorial": []}  # a page alone has no neighbours to list
html_theme = "pydata_sphinx_theme"
html_title = "custvalue"
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "show_nav_level": 2,
    "navigation_depth": 2,
    "navbar_end": ["theme-switcher"],
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_prev_next": False,
    "logo": {"text": "custvalue"},
}
html_math_renderer = "mathml"

autosummary_generate = True
autodoc_typehints = "none"  # numpydoc sections say types in words
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "amsmath"]
myst_heading_anchors = 3
suppress_warnings = ["config.cache"]  # the gallery's settings hold functions


def in_number_order(name: str) -> int:
    """Order of the pictures: that of the numbers in their names."""
    return int(Path(name).name.split("_")[1])


sphinx_gallery_conf = {
    "examples_dirs": [str(HERE / "gallery")],
    "gallery_dirs": ["gallery_out"],
    "filename_pattern": r"plot_",
    "within_subsection_order": in_number_order,
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
    "capture_repr": ("_repr_html_",),  # a table is shown; that a Display is one need not be said
    "write_computation_times": False,  # its page would load a script from elsewhere
    "show_signature": False,
    "min_reported_time": 1e9,
    "remove_config_comments": True,
    "reset_modules": ("matplotlib",),
}
