"""The page's charts, drawn on our side: numbers and places that a template lays out as SVG or as a table."""
