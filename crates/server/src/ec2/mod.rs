//! EC2: instances, key pairs, security groups, tags, and as much of a network as its clients expect to find.

use wire::xml::Element;

use crate::forms::{ApiError, Context, Params};
use crate::iam::Caller;

/// Does one operation of EC2. The answer is to be wrapped by `wire::xml::ec2_response`.
///
/// # Errors
/// The documented refusals; `InvalidAction` for what is not served; `UnauthorizedOperation` if the caller may not.
pub async fn handle(
    _context: &Context,
    _caller: &Caller,
    action: &str,
    _params: Params<'_>,
) -> Result<Element, ApiError> {
    Err(ApiError::unknown_action("EC2", action))
}
