//! The worked example, walked through. Must say nothing that product.md does not promise.
