//! The form services: EC2, IAM, STS, CloudWatch and SNS, and the refusals of those that are not served.

use wire::query::{self, Flavour, QueryError, Tree};
use wire::sigv4::Dialect;
use wire::xml::{self, Element, namespace};

use crate::forms::{ApiError, Context, Params};
use crate::iam::Caller;
use crate::{cloudwatch, ec2, iam, sns, sts};

/// A service that is asked by forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormService {
    Ec2,
    Iam,
    Sts,
    CloudWatch,
    Sns,
    /// One of AWS's that is not served here; its scope's service and name space.
    Unserved(&'static str, &'static str),
}

impl FormService {
    /// The service that a request was signed for; of an unsigned one, the service that has this API version.
    pub fn find(scope_service: Option<&str>, version: Option<&str>) -> Self {
        match (scope_service, version) {
            (Some("ec2"), _) | (None, Some("2016-11-15")) => Self::Ec2,
            (Some("sts"), _) | (None, Some("2011-06-15")) => Self::Sts,
            (Some("iam"), _) => Self::Iam,
            (Some("autoscaling"), _) | (None, Some("2011-01-01")) => {
                Self::Unserved("autoscaling", namespace::AUTO_SCALING)
            }
            // Two services of one name, told apart by their versions.
            (Some("elasticloadbalancing"), Some("2012-06-01")) | (None, Some("2012-06-01")) => {
                Self::Unserved("elasticloadbalancing", namespace::ELB)
            }
            (Some("elasticloadbalancing"), _) | (None, Some("2015-12-01")) => {
                Self::Unserved("elasticloadbalancing", namespace::ELB_V2)
            }
            (Some("sns"), _) | (None, Some("2010-03-31")) => Self::Sns,
            (Some("monitoring"), _) | (None, Some("2010-08-01")) => Self::CloudWatch,
            (Some(_) | None, _) => Self::Iam,
        }
    }

    /// The service in the credential scope; also its name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ec2 => "ec2",
            Self::Iam => "iam",
            Self::Sts => "sts",
            Self::CloudWatch => "monitoring",
            Self::Sns => "sns",
            Self::Unserved(name, _) => name,
        }
    }

    /// How the service words its refusals.
    pub const fn dialect(self) -> Dialect {
        match self {
            Self::Ec2 => Dialect::Ec2,
            Self::Iam | Self::Sts | Self::CloudWatch | Self::Sns | Self::Unserved(..) => {
                Dialect::Query
            }
        }
    }

    const fn flavour(self) -> Flavour {
        match self {
            Self::Ec2 => Flavour::Ec2,
            Self::Iam | Self::Sts | Self::CloudWatch | Self::Sns | Self::Unserved(..) => {
                Flavour::Query
            }
        }
    }

    const fn namespace(self) -> &'static str {
        match self {
            Self::Ec2 => namespace::EC2,
            Self::Iam => namespace::IAM,
            Self::Sts => namespace::STS,
            Self::CloudWatch => namespace::CLOUDWATCH,
            Self::Sns => namespace::SNS,
            Self::Unserved(_, namespace) => namespace,
        }
    }

    /// Unfolds a form.
    pub fn parse(self, form: &[u8]) -> Result<Tree, ApiError> {
        query::parse(form, self.flavour()).map_err(|error: QueryError| {
            ApiError::client("MalformedQueryString", error.to_string())
        })
    }

    /// Does one action; the answer's document.
    pub async fn answer(
        self,
        context: &Context,
        caller: &Caller,
        action: &str,
        tree: &Tree,
        request_id: &str,
    ) -> Result<String, ApiError> {
        let params = Params::new(tree);
        let wrap = |result: Option<Element>| {
            xml::query_response(action, self.namespace(), result, request_id)
        };
        match self {
            Self::Ec2 => {
                let body = ec2::handle(context, caller, action, params).await?;
                Ok(xml::ec2_response(action, body, request_id))
            }
            Self::Iam => iam::handle(context, caller, action, params).await.map(wrap),
            Self::Sts => sts::handle(context, caller, action, params).await.map(wrap),
            Self::Sns => sns::handle(context, caller, action, params).await.map(wrap),
            Self::CloudWatch => {
                let input = cloudwatch::Input::Form(tree.clone());
                let output = cloudwatch::handle(context, caller, action, &input).await?;
                Ok(wrap((!output.is_null()).then(|| wire::monitoring::to_element(&output))))
            }
            Self::Unserved(name, _) => Err(ApiError::client(
                "InvalidAction",
                format!("The action {action} of {name} is not served by this server."),
            )),
        }
    }

    /// Does what an unsigned link in one of SNS's messages leads to; the answer's document.
    pub async fn visit(
        context: &Context,
        action: &str,
        tree: &Tree,
        request_id: &str,
    ) -> Result<String, ApiError> {
        let result = sns::visit(context, action, Params::new(tree)).await?;
        Ok(xml::query_response(action, namespace::SNS, result, request_id))
    }

    /// The document of a refusal.
    pub fn error(self, error: &ApiError, request_id: &str) -> String {
        match self {
            Self::Ec2 => xml::ec2_error(&error.code, &error.message, request_id),
            Self::Iam | Self::Sts | Self::CloudWatch | Self::Sns | Self::Unserved(..) => {
                xml::query_error(
                    self.namespace(),
                    error.status,
                    &error.code,
                    &error.message,
                    request_id,
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_known_by_its_scope_and_an_unsigned_one_by_its_version() {
        assert_eq!(FormService::find(Some("ec2"), None), FormService::Ec2);
        assert_eq!(FormService::find(None, Some("2016-11-15")), FormService::Ec2);
        assert_eq!(FormService::find(None, Some("2011-06-15")), FormService::Sts);
        assert_eq!(FormService::find(None, None), FormService::Iam);
        let classic = FormService::find(Some("elasticloadbalancing"), Some("2012-06-01"));
        let newer = FormService::find(Some("elasticloadbalancing"), Some("2015-12-01"));
        assert_ne!(classic, newer);
        assert_eq!(classic.name(), newer.name());
    }
}
