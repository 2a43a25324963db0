//! The data plane: listeners, routing, draining; commanded by plain serialisable values.
