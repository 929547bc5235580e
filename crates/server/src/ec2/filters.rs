//! `Filter.N` and pages: how every `Describe…` narrows its answer.

use wire::xml::Element;

use super::refuse;
use crate::forms::{ApiError, Params};
use crate::iam::policy::matches_wildcards;

/// The filters of a request: all must match, each by any of its values.
#[derive(Debug, Clone, Default)]
pub(super) struct Filters(Vec<Filter>);

#[derive(Debug, Clone)]
struct Filter {
    name: String,
    values: Vec<String>,
}

impl Filters {
    /// Reads `Filter.N.Name` and `Filter.N.Value.N`.
    pub(super) fn read(params: Params<'_>) -> Result<Self, ApiError> {
        let mut filters = Vec::new();
        for filter in params.list("Filter") {
            let name = filter.filled("Name").ok_or_else(|| refuse::missing("Filter.Name"))?;
            let values = filter.texts("Value").into_iter().map(str::to_owned).collect();
            filters.push(Filter { name: name.to_owned(), values });
        }
        Ok(Self(filters))
    }

    /// Whether all filters match a thing with these tags, of which `values` tells the values of a filter's name;
    /// `None` if the thing has no such filter.
    pub(super) fn match_all(
        &self,
        tags: &super::records::Tags,
        values: impl Fn(&str) -> Option<Vec<String>>,
    ) -> Result<bool, ApiError> {
        for filter in &self.0 {
            let found = match filter.name.as_str() {
                "tag-key" => tags.keys().cloned().collect(),
                "tag-value" => tags.values().cloned().collect(),
                name => match name.strip_prefix("tag:") {
                    Some(key) => tags.get(key).into_iter().cloned().collect(),
                    None => values(name).ok_or_else(|| unknown(name))?,
                },
            };
            if !filter.matches(&found) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Refuses filters that a kind of thing does not have, also where there is no thing to be filtered.
    pub(super) fn check(
        &self,
        values: impl Fn(&str) -> Option<Vec<String>>,
    ) -> Result<(), ApiError> {
        let is_known = |name: &str| {
            matches!(name, "tag-key" | "tag-value")
                || name.starts_with("tag:")
                || values(name).is_some()
        };
        match self.0.iter().find(|filter| !is_known(&filter.name)) {
            None => Ok(()),
            Some(filter) => Err(unknown(&filter.name)),
        }
    }
}

fn unknown(name: &str) -> ApiError {
    refuse::invalid_value(format!("The filter '{name}' is invalid"))
}

impl Filter {
    fn matches(&self, found: &[String]) -> bool {
        found.iter().any(|found| self.values.iter().any(|value| matches_wildcards(value, found)))
    }
}

/// One page of `items` under `name`, as `MaxResults` and `NextToken` ask, with the next token.
/// `items` are in an order that stays; each with its place in it.
pub(super) fn page(
    params: Params<'_>,
    name: &'static str,
    items: Vec<(String, Element)>,
) -> Result<Element, ApiError> {
    let most = params.number::<usize>("MaxResults").map_err(refuse::bad)?;
    if most.is_some_and(|most| !(1..=1000).contains(&most)) {
        return Err(refuse::invalid_value("MaxResults must be between 1 and 1000"));
    }
    let after = match params.filled("NextToken") {
        None => None,
        Some(token) => Some(read_token(token).ok_or_else(|| {
            ApiError::client("InvalidNextToken", "The token is not one that we gave")
        })?),
    };
    let mut items = items;
    items.sort_by(|(a, _), (b, _)| a.cmp(b));
    items.retain(|(place, _)| after.as_ref().is_none_or(|after| place > after));
    let most = most.unwrap_or(usize::MAX);
    let next = (items.len() > most).then(|| hex::encode(&items[most - 1].0));
    items.truncate(most);
    let elements = items.into_iter().map(|(_, element)| element);
    Ok(Element::new("answer")
        .child(Element::list(name, "item", elements))
        .optional("nextToken", next))
}

fn read_token(token: &str) -> Option<String> {
    String::from_utf8(hex::decode(token).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use wire::query::{Flavour, parse};

    use super::*;

    fn check(form: &str, expected: Result<bool, &str>) {
        let tree = parse(form.as_bytes(), Flavour::Ec2).unwrap();
        let filters = Filters::read(Params::new(&tree)).unwrap();
        let tags = [("CDG".to_owned(), "DemoApp_Staging".to_owned())].into();
        let values = |name: &str| (name == "image-id").then(|| vec!["ami-1".to_owned()]);
        let found = filters.match_all(&tags, values);
        assert_eq!(
            found.as_ref().map_err(|error| error.code.as_ref()),
            expected.as_ref().map_err(|c| *c),
            "{form}"
        );
    }

    #[test]
    fn filters_are_all_required_and_their_values_alternatives() {
        check("", Ok(true));
        check("Filter.1.Name=tag:CDG&Filter.1.Value.1=DemoApp_*", Ok(true));
        check(
            "Filter.1.Name=tag:CDG&Filter.1.Value.1=x&Filter.1.Value.2=DemoApp_Stagin?",
            Ok(true),
        );
        check("Filter.1.Name=tag:cdg&Filter.1.Value.1=*", Ok(false));
        check(
            "Filter.1.Name=tag-key&Filter.1.Value.1=CDG&Filter.2.Name=image-id&Filter.2.Value.1=ami-2",
            Ok(false),
        );
        check("Filter.1.Name=tag-value&Filter.1.Value.1=DemoApp_Staging", Ok(true));
        check("Filter.1.Name=nonsense&Filter.1.Value.1=x", Err("InvalidParameterValue"));
        check("Filter.1.Name=image-id", Ok(false));
    }

    #[test]
    fn pages_go_on_where_the_last_one_ended() {
        let items = || ["b", "a", "c"].map(|n| (n.to_owned(), Element::of("x", n))).to_vec();
        let ask = |form: &str| {
            let tree = parse(form.as_bytes(), Flavour::Ec2).unwrap();
            page(Params::new(&tree), "set", items())
        };
        let first = ask("MaxResults=2").unwrap();
        let token = first.get("nextToken").unwrap().value().unwrap();
        let second = ask(&format!("MaxResults=2&NextToken={token}")).unwrap();
        assert_eq!(second.get("set").unwrap().elements()[0].value(), Some("c"));
        assert!(second.get("nextToken").is_none());
        assert_eq!(ask("NextToken=zz").unwrap_err().code, "InvalidNextToken");
        assert!(ask("MaxResults=0").is_err());
        assert_eq!(ask("").unwrap().get("set").unwrap().elements().len(), 3);
    }
}
