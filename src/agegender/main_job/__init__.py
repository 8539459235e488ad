"""The steps of the main job, one file each; `agegender.pipeline` puts them in order."""

from agegender.optional import DATA, require

require("pandas", DATA)
