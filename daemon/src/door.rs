
pub(crate) mod envelope;
pub(crate) mod frame;
