//! Which server is asked, and as whom: as the `aws` CLI finds it out, from arguments, environment and its files.
//!
//! Source: the AWS SDKs and Tools Reference Guide (precedence of settings, service-specific endpoints) and the behaviour
//! of the stock CLI. Everything here is a function of what was read.

use super::ini::{Section, Sections};

/// What was said on the command line.
#[derive(Debug, Default, Clone)]
pub struct Given {
    pub profile: Option<String>,
    pub endpoint_url: Option<String>,
    pub region: Option<String>,
}

/// What the environment and the files say.
pub struct Sources<'a> {
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    pub config: Sections,
    pub credentials: Sections,
}

/// Where credentials come from.
#[derive(Clone, PartialEq, Eq)]
pub enum Keys {
    /// They are there; `origin` says where they were found.
    Static { access: String, secret: String, token: Option<String>, origin: String },
    /// A command prints them.
    Process { command: String, profile: String },
}

/// Why nothing can be asked. Each says what to set.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    #[error(
        "no server is named: neither --endpoint-url nor AWS_ENDPOINT_URL nor `endpoint_url` in profile `{profile}` is set"
    )]
    NoEndpoint { profile: String },
    #[error(
        "there are no credentials: neither AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are set, nor has profile `{profile}` any"
    )]
    NoCredentials { profile: String },
    #[error("there is no profile `{profile}` in the files of the aws CLI")]
    NoProfile { profile: String },
    #[error(
        "profile `{profile}` gets its credentials by `{setting}`, which longshore does not know; name a command that prints them: credential_process = aws configure export-credentials --profile {profile}"
    )]
    UnknownKind { profile: String, setting: &'static str },
}

/// The settings in force.
#[derive(Clone)]
pub struct Settings {
    pub profile: String,
    pub region: String,
    pub keys: Keys,
    endpoint: Option<String>,
    services: Section,
}

impl Settings {
    /// Finds the settings in force.
    ///
    /// # Errors
    /// Something that is needed is not set anywhere.
    pub fn resolve(given: &Given, sources: &Sources<'_>) -> Result<Self, SettingsError> {
        let variable = sources.variable;
        let named = given.profile.clone().or_else(|| variable("AWS_PROFILE"));
        let profile =
            named.clone().or_else(|| variable("AWS_DEFAULT_PROFILE")).unwrap_or("default".into());
        let empty = Section::new();
        let heading =
            if profile == "default" { profile.clone() } else { format!("profile {profile}") };
        let config = sources.config.get(&heading);
        let secrets = sources.credentials.get(&profile);
        if named.is_some() && config.is_none() && secrets.is_none() {
            return Err(SettingsError::NoProfile { profile });
        }
        let config = config.unwrap_or(&empty);
        let keys = keys(given, sources, &profile, config, secrets.unwrap_or(&empty))?;
        let region = given
            .region
            .clone()
            .or_else(|| variable("AWS_REGION"))
            .or_else(|| variable("AWS_DEFAULT_REGION"))
            .or_else(|| config.get("region").cloned())
            .unwrap_or_else(|| "us-east-1".to_owned());
        let (endpoint, services) = endpoints(given, sources, config);
        let settings = Self { profile, region, keys, endpoint, services };
        settings.endpoint("codedeploy")?;
        Ok(settings)
    }

    /// The URL at which a service answers, without a slash at its end. A service without one of its own is asked where
    /// CodeDeploy is: longshore serves all of them at one.
    ///
    /// # Errors
    /// None is named.
    pub fn endpoint(&self, service: &str) -> Result<&str, SettingsError> {
        let found = self
            .services
            .get(service)
            .or(self.endpoint.as_ref())
            .or_else(|| self.services.get("codedeploy"));
        let none = || SettingsError::NoEndpoint { profile: self.profile.clone() };
        Ok(found.ok_or_else(none)?.trim_end_matches('/'))
    }
}

/// The services that longshore's command line asks, as their settings are called.
const SERVICES: [(&str, &str); 5] = [
    ("codedeploy", "AWS_ENDPOINT_URL_CODEDEPLOY"),
    ("cloudwatch", "AWS_ENDPOINT_URL_CLOUDWATCH"),
    ("longshore", "AWS_ENDPOINT_URL_LONGSHORE"),
    ("s3", "AWS_ENDPOINT_URL_S3"),
    ("sts", "AWS_ENDPOINT_URL_STS"),
];

/// The endpoint for everything, and those of single services, from the strongest source that names one.
fn endpoints(given: &Given, sources: &Sources<'_>, config: &Section) -> (Option<String>, Section) {
    if given.endpoint_url.is_some() {
        return (given.endpoint_url.clone(), Section::new());
    }
    let variable = sources.variable;
    let is_true = |value: &String| value.eq_ignore_ascii_case("true");
    let ignored = variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").as_ref().is_some_and(is_true)
        || config.get("ignore_configured_endpoint_urls").is_some_and(is_true);
    if ignored {
        return (None, Section::new());
    }
    let general = variable("AWS_ENDPOINT_URL");
    let own =
        config.get("services").and_then(|name| sources.config.get(&format!("services {name}")));
    let mut services = Section::new();
    for (service, name) in SERVICES {
        let of_profile = || own?.get(&format!("{service}.endpoint_url")).cloned();
        // The environment's general one is stronger than the profile's special one.
        let found = variable(name).or_else(|| general.clone()).or_else(of_profile);
        if let Some(url) = found {
            services.insert(service.to_owned(), url);
        }
    }
    (general.or_else(|| config.get("endpoint_url").cloned()), services)
}

fn keys(
    given: &Given,
    sources: &Sources<'_>,
    profile: &str,
    config: &Section,
    secrets: &Section,
) -> Result<Keys, SettingsError> {
    let variable = sources.variable;
    let pair = |access: Option<String>, secret: Option<String>, token, origin: String| {
        Some(Keys::Static { access: access?, secret: secret?, token, origin })
    };
    let of_environment = || {
        pair(
            variable("AWS_ACCESS_KEY_ID"),
            variable("AWS_SECRET_ACCESS_KEY"),
            variable("AWS_SESSION_TOKEN"),
            "the environment".to_owned(),
        )
    };
    let of = |section: &Section, file: &str| {
        let value = |name: &str| section.get(name).cloned();
        pair(
            value("aws_access_key_id"),
            value("aws_secret_access_key"),
            value("aws_session_token"),
            format!("profile `{profile}` in the {file} file"),
        )
    };
    let of_process = |section: &Section| {
        let command = section.get("credential_process")?.clone();
        Some(Keys::Process { command, profile: profile.to_owned() })
    };
    // A profile that is named by an argument is meant, whatever the environment has.
    let environment = if given.profile.is_some() { None } else { of_environment() };
    environment
        .or_else(|| of(secrets, "credentials"))
        .or_else(|| of_process(secrets))
        .or_else(|| of_process(config))
        .or_else(|| of(config, "config"))
        .ok_or_else(|| {
            let unknown = ["role_arn", "sso_session", "sso_start_url", "web_identity_token_file"]
                .into_iter()
                .find(|setting| config.contains_key(*setting));
            let profile = profile.to_owned();
            match unknown {
                Some(setting) => SettingsError::UnknownKind { profile, setting },
                None => SettingsError::NoCredentials { profile },
            }
        })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const CONFIG: &str = "[default]\nregion = eu-west-1\nendpoint_url = http://default/\n\
        [profile staging]\nendpoint_url = http://staging\nservices = ours\ncredential_process = tell keys\n\
        [services ours]\ncodedeploy =\n  endpoint_url = http://deploy\n\
        [profile assumed]\nrole_arn = arn:aws:iam::1:role/x\n";
    const SECRETS: &str =
        "[default]\naws_access_key_id = AK\naws_secret_access_key = SK\naws_session_token = ST\n";

    fn resolved(
        given: &Given,
        environment: &[(&str, &str)],
        config: &str,
    ) -> Result<Settings, SettingsError> {
        let environment: BTreeMap<_, _> = environment.iter().copied().collect();
        let variable = |name: &str| environment.get(name).map(|value| (*value).to_owned());
        let sources = Sources {
            variable: &variable,
            config: Sections::parse(config).unwrap(),
            credentials: Sections::parse(if config.is_empty() { "" } else { SECRETS }).unwrap(),
        };
        Settings::resolve(given, &sources)
    }

    fn profile(name: &str) -> Given {
        Given { profile: Some(name.to_owned()), ..Given::default() }
    }

    #[test]
    fn the_default_profile_is_read_from_both_files() {
        let settings = resolved(&Given::default(), &[], CONFIG).ok().unwrap();
        assert_eq!(settings.region, "eu-west-1");
        assert_eq!(settings.endpoint("s3"), Ok("http://default"));
        let Keys::Static { token, .. } = settings.keys else { panic!("no keys") };
        assert_eq!(token.as_deref(), Some("ST"));
    }

    #[test]
    fn services_have_endpoints_of_their_own() {
        let settings = resolved(&profile("staging"), &[], CONFIG).ok().unwrap();
        assert_eq!(settings.endpoint("codedeploy"), Ok("http://deploy"));
        assert_eq!(settings.endpoint("s3"), Ok("http://staging"));
        let settings = resolved(&profile("staging"), &[("AWS_ENDPOINT_URL", "http://all")], CONFIG);
        assert_eq!(settings.ok().unwrap().endpoint("codedeploy"), Ok("http://all"));
        let settings =
            resolved(&Given::default(), &[("AWS_ENDPOINT_URL_CODEDEPLOY", "http://one")], CONFIG);
        let settings = settings.ok().unwrap();
        assert_eq!(settings.endpoint("codedeploy"), Ok("http://one"));
        assert_eq!(settings.endpoint("sts"), Ok("http://default"));
    }

    #[test]
    fn a_profile_that_is_named_by_an_argument_goes_before_the_environment() {
        let keys = [("AWS_ACCESS_KEY_ID", "E"), ("AWS_SECRET_ACCESS_KEY", "ES")];
        let settings = resolved(&profile("staging"), &keys, CONFIG).ok().unwrap();
        assert!(matches!(settings.keys, Keys::Process { .. }));
        let settings = resolved(&Given::default(), &keys, CONFIG).ok().unwrap();
        assert!(matches!(settings.keys, Keys::Static { access, .. } if access == "E"));
    }

    #[test]
    fn what_is_missing_is_told() {
        let error = |given: &Given, environment: &[(&str, &str)], config: &str| {
            resolved(given, environment, config).err().unwrap()
        };
        let keys = [("AWS_ACCESS_KEY_ID", "E"), ("AWS_SECRET_ACCESS_KEY", "ES")];
        assert!(matches!(error(&Given::default(), &keys, ""), SettingsError::NoEndpoint { .. }));
        let endpoint = [("AWS_ENDPOINT_URL", "http://x")];
        assert!(matches!(
            error(&Given::default(), &endpoint, ""),
            SettingsError::NoCredentials { .. }
        ));
        assert!(matches!(
            error(&profile("gone"), &endpoint, CONFIG),
            SettingsError::NoProfile { .. }
        ));
        assert!(matches!(
            error(&profile("assumed"), &endpoint, CONFIG),
            SettingsError::UnknownKind { setting: "role_arn", .. }
        ));
    }
}
