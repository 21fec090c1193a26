"""A casino lakehouse as a pure library: frames in, frames out."""
