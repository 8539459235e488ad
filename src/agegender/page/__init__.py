"""The page that answers photographs in the browser: its own files, and what `agegender page` puts beside them."""
