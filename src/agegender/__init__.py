"""agegender: from a folder of labelled faces to two trained, measured, contract-tested Keras models.

The base install holds data, metrics and the command line; training needs the extras `train` and one backend.
Heavy modules are imported where they are used, so that `import agegender` stays cheap.
"""

__version__ = "0.1.0"
