//! Frames that are large, torn, compressed or of odd types.
