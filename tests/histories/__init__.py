"""Histories of a whole company, drawn at random; its books are compared with a model that is written from contracts."""
