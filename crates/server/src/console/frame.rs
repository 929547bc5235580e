//! What every page has around it: navigation, the trail to where one is, who is signed in, light or dark.

use super::request::Request;
use super::visit::Visit;
use super::{assets, show};

/// The cookie that remembers light or dark.
pub const THEME_COOKIE: &str = "longshore-theme";

/// The parts of the console, as the navigation lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    Overview,
    Applications,
    Deployments,
    Instances,
    Configurations,
    Alarms,
    Topics,
    Connections,
    Audit,
    None,
}

/// One entry of the navigation.
pub struct NavigationEntry {
    pub name: &'static str,
    pub place: &'static str,
    pub section: Section,
}

const NAVIGATION: [NavigationEntry; 9] = [
    entry("Overview", "/-/console", Section::Overview),
    entry("Applications", "/-/console/applications", Section::Applications),
    entry("Deployments", "/-/console/deployments", Section::Deployments),
    entry("Instances", "/-/console/instances", Section::Instances),
    entry("Configurations", "/-/console/configurations", Section::Configurations),
    entry("Alarms", "/-/console/alarms", Section::Alarms),
    entry("Topics", "/-/console/topics", Section::Topics),
    entry("GitHub", "/-/console/connections", Section::Connections),
    entry("Audit trail", "/-/console/audit", Section::Audit),
];

const fn entry(name: &'static str, place: &'static str, section: Section) -> NavigationEntry {
    NavigationEntry { name, place, section }
}

/// A step of the trail to a page.
pub struct Crumb {
    pub name: String,
    pub place: String,
}

/// What every page has around it.
pub struct Frame {
    /// Of the page, for the browser's tab and the heading.
    pub title: String,
    pub section: Section,
    pub crumbs: Vec<Crumb>,
    /// Who is signed in; absent: nobody.
    pub user: Option<User>,
    /// `light`, `dark`, or `auto`: as the browser is set.
    pub theme: &'static str,
    /// Where the page is, to come back to it.
    pub here: String,
    /// Whether a browser without scripts should ask again now and then.
    pub refreshes: bool,
}

/// Who is signed in.
pub struct User {
    /// The end of the ARN.
    pub name: String,
    pub arn: String,
    pub region: String,
    /// What forms carry.
    pub mark: String,
}

impl Frame {
    /// Around a page that needs nobody signed in.
    pub fn plain(request: &Request, title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            section: Section::None,
            crumbs: Vec::new(),
            user: None,
            theme: theme(request),
            here: request.target.clone(),
            refreshes: false,
        }
    }

    /// Around a page for whoever visits.
    pub fn of(visit: &Visit<'_>, section: Section, title: impl Into<String>) -> Self {
        let arn = visit.session.call.principal();
        let name = arn.rsplit_once(':').map_or(arn.as_str(), |(_, name)| name);
        let name = name.rsplit_once("user/").map_or(name, |(_, name)| name).to_owned();
        Self {
            section,
            user: Some(User {
                name,
                region: visit.session.call.scope.region.clone(),
                mark: visit.session.form_mark.clone(),
                arn,
            }),
            ..Self::plain(visit.request, title)
        }
    }

    /// With one more step before the page.
    pub fn under(mut self, name: impl Into<String>, place: impl Into<String>) -> Self {
        self.crumbs.push(Crumb { name: name.into(), place: place.into() });
        self
    }

    /// Asked for again now and then by a browser without scripts.
    pub fn refreshing(mut self, refreshes: bool) -> Self {
        self.refreshes = refreshes;
        self
    }

    pub fn navigation(&self) -> &'static [NavigationEntry] {
        &NAVIGATION
    }

    pub fn style(&self) -> &'static str {
        assets::style()
    }

    pub fn script(&self) -> &'static str {
        assets::script()
    }
}

/// The theme that the visitor chose.
fn theme(request: &Request) -> &'static str {
    match request.cookie(THEME_COOKIE) {
        Some("light") => "light",
        Some("dark") => "dark",
        _ => "auto",
    }
}

/// The page of an application.
pub fn application_place(application: impl std::fmt::Display) -> String {
    format!("/-/console/applications/{}", show::encoded(application))
}

/// The page of a group.
pub fn group_place(application: impl std::fmt::Display, group: impl std::fmt::Display) -> String {
    format!("{}/groups/{}", application_place(application), show::encoded(group))
}

/// The page of a deployment.
pub fn deployment_place(id: impl std::fmt::Display) -> String {
    format!("/-/console/deployments/{id}")
}

/// The page of a target.
pub fn target_place(id: impl std::fmt::Display, target: impl std::fmt::Display) -> String {
    format!("/-/console/deployments/{id}/targets/{}", show::encoded(target))
}
