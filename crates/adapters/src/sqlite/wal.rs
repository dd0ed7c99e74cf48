//! stub
use super::OpenError;
use std::path::Path;
pub(super) fn check(_path: &Path) -> Result<(), OpenError> {
    Ok(())
}
