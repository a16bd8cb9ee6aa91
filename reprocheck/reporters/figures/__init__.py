"""Figures of a page: inline SVG that carries no style, no identifier and no address of its own."""
