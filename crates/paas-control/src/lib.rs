//! The API of the control plane: wire types, handlers, client.
