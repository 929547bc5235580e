//! How operations are named on the wire.

use wire::{codedeploy, longshore};

/// An operation of one of the services that speak AWS JSON.
pub trait Named {
    /// Its name, such as `GetDeployment`.
    fn name(&self) -> &'static str;
    /// The service, as its settings and its signatures call it.
    fn service(&self) -> &'static str;
    /// The value of `X-Amz-Target`.
    fn target(&self) -> String;
}

impl Named for codedeploy::Operation {
    fn name(&self) -> &'static str {
        Self::name(*self)
    }

    fn service(&self) -> &'static str {
        "codedeploy"
    }

    fn target(&self) -> String {
        format!("{}.{}", codedeploy::TARGET_PREFIX, self.name())
    }
}

impl Named for longshore::Operation {
    fn name(&self) -> &'static str {
        Self::name(*self)
    }

    fn service(&self) -> &'static str {
        "longshore"
    }

    fn target(&self) -> String {
        format!("{}.{}", longshore::TARGET_PREFIX, self.name())
    }
}
