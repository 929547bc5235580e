//! One request of somebody who is signed in: what they may, and what they ask of the service.

use std::collections::HashMap;
use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};
use wire::codedeploy::Operation;
use wire::json11;
use wire::longshore::Operation as OwnOperation;

use crate::app::{App, Call};
use crate::forms::Context;
use crate::http::edge::Edge;
use crate::http::permissions;
use crate::iam::policy::Facts;
use crate::iam::{AuthorizeError, authorize};

use super::Console;
use super::problem::Problem;
use super::request::Request;
use super::session::Session;

/// One request of somebody who is signed in.
pub struct Visit<'a> {
    pub edge: &'a Arc<Edge>,
    pub request: &'a Request,
    pub session: Session,
    /// The request's id, for logs and the audit trail.
    pub id: &'a str,
}

impl Visit<'_> {
    pub fn call(&self) -> &Call {
        &self.session.call
    }

    /// Whether a form was sent, and no page asked for.
    pub fn is_sent(&self) -> bool {
        self.request.method == Method::POST
    }

    pub fn app(&self) -> &App {
        &self.edge.app
    }

    pub fn console(&self) -> &Console {
        &self.edge.console
    }

    pub fn region(&self) -> &str {
        &self.session.call.scope.region
    }

    pub fn context(&self) -> Context {
        self.edge.context(&self.session.call.scope)
    }

    /// Lets the visitor through if they may call `operation` with this input.
    ///
    /// # Errors
    /// They may not.
    pub async fn may(&self, operation: Operation, input: Value) -> Result<(), Problem> {
        let body = input.to_string();
        let (context, store) = (self.context(), &self.edge.app.store);
        let checked =
            permissions::check(&context, store, &self.call().caller, operation, body.as_bytes());
        Ok(checked.await?)
    }

    /// The same for an operation of longshore's own.
    ///
    /// # Errors
    /// They may not.
    pub async fn may_read(&self, operation: OwnOperation, input: Value) -> Result<(), Problem> {
        let body = input.to_string();
        let (context, store) = (self.context(), &self.edge.app.store);
        let (caller, body) = (&self.call().caller, body.as_bytes());
        Ok(permissions::check_own(&context, store, caller, operation, body).await?)
    }

    /// Whether the visitor may do `action` of another service on anything.
    ///
    /// # Errors
    /// The policies cannot be read.
    pub async fn may_anywhere(&self, action: &str) -> Result<bool, Problem> {
        match authorize(&self.context(), &self.call().caller, action, "*", Facts::default()).await {
            Ok(()) => Ok(true),
            Err(AuthorizeError::Denied(_)) => Ok(false),
            Err(AuthorizeError::Unknown(error)) => Err(error.into()),
        }
    }

    /// Lets the visitor through if they may do `action` of another service.
    ///
    /// # Errors
    /// They may not.
    pub async fn need(&self, action: &str) -> Result<(), Problem> {
        let allowed =
            authorize(&self.context(), &self.call().caller, action, "*", Facts::default()).await;
        Ok(allowed.map_err(permissions::PermissionError::from)?)
    }

    /// Calls an operation as any client does: checked, answered and written down by the same code.
    ///
    /// # Errors
    /// Those of the operation.
    pub async fn ask<I>(&self, input: &I) -> Result<I::Output, Problem>
    where
        I: wire::Call<Operation = Operation>,
    {
        let body = json11::encode(input).map_err(|error| Problem::internal("a request", error))?;
        let answer = self.edge.codedeploy_call(self.call(), I::OPERATION, &body, self.id).await?;
        Ok(json11::decode(&answer)?)
    }

    /// Calls an operation of longshore's own as any client does.
    ///
    /// # Errors
    /// Those of the operation.
    pub async fn ask_own<I>(&self, input: &I) -> Result<I::Output, Problem>
    where
        I: wire::Call<Operation = OwnOperation>,
    {
        let body = json11::encode(input).map_err(|error| Problem::internal("a request", error))?;
        let answer = self.edge.longshore_call(self.call(), I::OPERATION, &body, self.id).await?;
        Ok(json11::decode(&answer)?)
    }
}

/// Which groups the visitor may look into; asked once for each.
#[derive(Default)]
pub struct Sight(HashMap<(String, String), bool>);

impl Sight {
    /// Whether the visitor may see the deployments of a group.
    ///
    /// # Errors
    /// The policies cannot be read.
    pub async fn reaches(
        &mut self,
        visit: &Visit<'_>,
        application: &str,
        group: &str,
    ) -> Result<bool, Problem> {
        let key = (application.to_owned(), group.to_owned());
        if let Some(known) = self.0.get(&key) {
            return Ok(*known);
        }
        let names = json!({"applicationName": application, "deploymentGroupName": group});
        let seen = match visit.may(Operation::GetDeploymentGroup, names).await {
            Ok(()) => true,
            Err(Problem::Refused(_)) => false,
            Err(problem) => return Err(problem),
        };
        self.0.insert(key, seen);
        Ok(seen)
    }
}
