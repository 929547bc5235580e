//! Connections to GitHub: listing and deleting them as CodeDeploy does; storing and linking them as only its console
//! can.

use wire::codedeploy::{
    DeleteGitHubAccountTokenInput, DeleteGitHubAccountTokenOutput,
    ListGitHubAccountTokenNamesInput, ListGitHubAccountTokenNamesOutput,
};
use wire::longshore::{
    LinkGitHubAccountTokenInput, LinkGitHubAccountTokenOutput, PutGitHubAccountTokenInput,
    PutGitHubAccountTokenOutput,
};
use wire::{ErrorCode, ServiceError};

use super::{Answer, App, Call, Failure, applications, rules};
use crate::github::{GitHubError, PutToken, TOKENS_MAX};

/// The longest name of a token, in characters. AWS publishes none; this is the one of other names.
const NAME_MAX: usize = 100;

/// The longest token, in bytes: several times as long as GitHub's own.
const TOKEN_MAX: usize = 1024;

impl App {
    /// Stores a token under a name, or another one in its place.
    pub async fn put_git_hub_account_token(
        &self,
        call: &Call,
        input: PutGitHubAccountTokenInput,
    ) -> Answer<PutGitHubAccountTokenOutput> {
        let name = token_name(input.token_name)?;
        let token = input.token.unwrap_or_default();
        check_token(&token)?;
        match self.git_hub.put(&call.scope.region, &name, &token, call.now).await? {
            PutToken::Stored => Ok(PutGitHubAccountTokenOutput { token_name: Some(name) }),
            PutToken::TooMany => Err(Failure::refused(
                ErrorCode::GitHubAccountTokenLimitExceeded,
                format!(
                    "This region has {TOKENS_MAX} GitHub connections already, which is the limit"
                ),
            )),
        }
    }

    /// Lets the deployments of an application download with a token; without a name, with none any more.
    pub async fn link_git_hub_account_token(
        &self,
        call: &Call,
        input: LinkGitHubAccountTokenInput,
    ) -> Answer<LinkGitHubAccountTokenOutput> {
        let application = self.application(call, input.application_name).await?;
        let name = input.token_name.map(|name| token_name(Some(name))).transpose()?;
        if let Some(name) = &name
            && !self.git_hub.has(&call.scope.region, name).await?
        {
            return Err(unknown(name).into());
        }
        let body = applications::body(&applications::Settings { git_hub_account_name: name })?;
        if self.store.set_application_body(&application.id, &body).await? {
            Ok(LinkGitHubAccountTokenOutput {})
        } else {
            Err(applications::unknown(&application.name).into())
        }
    }

    /// The names of the stored tokens.
    pub async fn list_git_hub_account_token_names(
        &self,
        call: &Call,
        input: ListGitHubAccountTokenNamesInput,
    ) -> Answer<ListGitHubAccountTokenNamesOutput> {
        // There are too few for a second page, so no token for one was ever given.
        let list = format!("ListGitHubAccountTokenNames {}", call.scope.region);
        self.tokens.open(&list, input.next_token.as_deref())?;
        let names = self.git_hub.names(&call.scope.region).await?;
        Ok(ListGitHubAccountTokenNamesOutput { token_name_list: Some(names), next_token: None })
    }

    /// Deletes a token. Applications stay linked to its name, and so to the next token that has it.
    pub async fn delete_git_hub_account_token(
        &self,
        call: &Call,
        input: DeleteGitHubAccountTokenInput,
    ) -> Answer<DeleteGitHubAccountTokenOutput> {
        let name = token_name(input.token_name)?;
        if !self.git_hub.delete(&call.scope.region, &name).await? {
            return Err(unknown(&name).into());
        }
        Ok(DeleteGitHubAccountTokenOutput { token_name: Some(name) })
    }
}

impl From<GitHubError> for Failure {
    fn from(error: GitHubError) -> Self {
        match error {
            GitHubError::Store(error) => error.into(),
            GitHubError::Unreadable(error) => {
                Self::internal("a GitHub connection cannot be used", error)
            }
        }
    }
}

fn token_name(name: Option<String>) -> Result<String, ServiceError> {
    let name = rules::required(name, ErrorCode::GitHubAccountTokenNameRequired)?;
    let length = name.chars().count();
    if length <= NAME_MAX && !name.chars().any(char::is_control) {
        return Ok(name);
    }
    let shown: String = name.chars().take(NAME_MAX).collect();
    Err(ServiceError::new(
        ErrorCode::InvalidGitHubAccountTokenName,
        format!(
            "The GitHub connection name '{}' is not valid: it has {length} characters; 1 to {NAME_MAX} are allowed, and \
             none that control terminals",
            shown.escape_debug()
        ),
    ))
}

/// A token goes into a header of the host's request. What is wrong with it is told without repeating it.
fn check_token(token: &str) -> Result<(), ServiceError> {
    let fits =
        (1..=TOKEN_MAX).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_graphic());
    if fits {
        return Ok(());
    }
    Err(ServiceError::new(
        ErrorCode::InvalidGitHubAccountToken,
        format!(
            "The token is not valid: it has 1 to {TOKEN_MAX} visible ASCII characters and no spaces"
        ),
    ))
}

fn unknown(name: &str) -> ServiceError {
    ServiceError::new(
        ErrorCode::GitHubAccountTokenDoesNotExist,
        format!("No GitHub connection found for name: {name}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_tokens_have_a_form() {
        let code = |name: &str| token_name(Some(name.to_owned())).map_err(|error| error.code);
        assert_eq!(code("my company's deploys"), Ok("my company's deploys".to_owned()));
        assert_eq!(code(""), Err(ErrorCode::GitHubAccountTokenNameRequired));
        assert_eq!(code("a\u{1b}[2J"), Err(ErrorCode::InvalidGitHubAccountTokenName));
        assert_eq!(code(&"n".repeat(101)), Err(ErrorCode::InvalidGitHubAccountTokenName));
        assert!(check_token("ghp_0123456789").is_ok());
        for wrong in ["", "a b", "ghp_\r\nX: y", "é"] {
            let error = check_token(wrong).unwrap_err();
            assert_eq!(error.code, ErrorCode::InvalidGitHubAccountToken);
            assert!(wrong.is_empty() || !error.message.contains(wrong), "{}", error.message);
        }
    }
}
