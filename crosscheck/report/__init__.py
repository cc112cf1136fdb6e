"""Reports: renderers of what a campaign tells."""
