"""Sphinx: the reference, from docstrings alone; `make docs` builds it, and any warning fails."""

import cunet_tf

project = "cunet-tf"
author = "The cunet-tf authors"
version = release = cunet_tf.__version__
extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "alabaster"
html_theme_options = {
    "description": "Coupled U-Nets in TensorFlow/Keras",
    "page_width": "1100px",
    "sidebar_width": "260px",
}
html_show_sourcelink = False

napoleon_numpy_docstring = False
napoleon_use_ivar = True  # fields of dataclasses are described once, in their class
autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints = "signature"
autodoc_typehints_format = "short"

# Every reference to this package must lead somewhere; those to Keras, NumPy and the language are not looked up,
# nor are constants and type variables, which have no page.
nitpicky = True
nitpick_ignore_regex = [(r"py:.*", r"(?!cunet_tf\.).*"), (r"py:data", r".*"), (r"py:.*", r".*\.(T|Coordinates)")]
suppress_warnings = ["ref.python"]  # fields of one name in two classes
