//! XML answers: a small tree to build them from, and the envelopes of the query, EC2 and S3 dialects.
//!
//! A handler returns an [`Element`]; its name does not matter where an envelope gives it one.

use std::borrow::Cow;

/// The name spaces of the services' answers. Source: the services' models.
pub mod namespace {
    pub const AUTO_SCALING: &str = "http://autoscaling.amazonaws.com/doc/2011-01-01/";
    pub const CLOUDWATCH: &str = "http://monitoring.amazonaws.com/doc/2010-08-01/";
    pub const EC2: &str = "http://ec2.amazonaws.com/doc/2016-11-15/";
    pub const ELB: &str = "http://elasticloadbalancing.amazonaws.com/doc/2012-06-01/";
    pub const ELB_V2: &str = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/";
    pub const IAM: &str = "https://iam.amazonaws.com/doc/2010-05-08/";
    pub const S3: &str = "http://s3.amazonaws.com/doc/2006-03-01/";
    pub const SNS: &str = "http://sns.amazonaws.com/doc/2010-03-31/";
    pub const STS: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
}

/// The content type of query and EC2 answers; S3 says `application/xml`.
pub const CONTENT_TYPE: &str = "text/xml;charset=UTF-8";

/// One element with attributes and either text or children.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    name: Cow<'static, str>,
    attributes: Vec<(&'static str, String)>,
    content: Content,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Content {
    Text(String),
    Children(Vec<Element>),
}

impl Element {
    /// An empty element.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), attributes: Vec::new(), content: Content::Children(Vec::new()) }
    }

    /// An element that holds text; numbers and booleans show as `Display` has them.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers hand over literals, numbers and strings alike"
    )]
    pub fn of(name: impl Into<Cow<'static, str>>, value: impl ToString) -> Self {
        Self { content: Content::Text(value.to_string()), ..Self::new(name) }
    }

    /// An element named `name` whose children are `elements`, each renamed to `item`.
    ///
    /// EC2 names items `item`, the query services `member`. An empty list is an empty element.
    pub fn list(
        name: impl Into<Cow<'static, str>>,
        item: &'static str,
        elements: impl IntoIterator<Item = Element>,
    ) -> Self {
        Self::new(name).children(elements.into_iter().map(|element| element.renamed(item)))
    }

    /// With that name instead.
    #[must_use]
    pub fn renamed(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// With one more attribute.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers hand over literals, numbers and strings alike"
    )]
    #[must_use]
    pub fn attribute(mut self, name: &'static str, value: impl ToString) -> Self {
        self.attributes.push((name, value.to_string()));
        self
    }

    /// With this text in place of what was there.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers hand over literals, numbers and strings alike"
    )]
    #[must_use]
    pub fn text(mut self, value: impl ToString) -> Self {
        self.content = Content::Text(value.to_string());
        self
    }

    /// With one more child, after the others. Text that was there gives way.
    #[must_use]
    pub fn child(mut self, child: Element) -> Self {
        self.push(child);
        self
    }

    /// With more children, after the others.
    #[must_use]
    pub fn children(mut self, children: impl IntoIterator<Item = Element>) -> Self {
        children.into_iter().for_each(|child| self.push(child));
        self
    }

    /// With a child that holds text.
    #[must_use]
    pub fn field(self, name: impl Into<Cow<'static, str>>, value: impl ToString) -> Self {
        self.child(Element::of(name, value))
    }

    /// With a child that holds text, if there is a value.
    #[must_use]
    pub fn optional(
        self,
        name: impl Into<Cow<'static, str>>,
        value: Option<impl ToString>,
    ) -> Self {
        match value {
            Some(value) => self.field(name, value),
            None => self,
        }
    }

    /// Adds one more child, after the others. Text that was there gives way.
    pub fn push(&mut self, child: Element) {
        match &mut self.content {
            Content::Children(children) => children.push(child),
            Content::Text(_) => self.content = Content::Children(vec![child]),
        }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first child of that name.
    pub fn get(&self, name: &str) -> Option<&Element> {
        self.elements().iter().find(|child| child.name == name)
    }

    /// The children, none if there is text.
    pub fn elements(&self) -> &[Element] {
        match &self.content {
            Content::Children(children) => children,
            Content::Text(_) => &[],
        }
    }

    /// The text, if there is any.
    pub fn value(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(text),
            Content::Children(_) => None,
        }
    }

    /// The whole document, declaration included, everything escaped.
    pub fn to_document(&self) -> String {
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        out.push('<');
        out.push_str(&self.name);
        for (name, value) in &self.attributes {
            out.push(' ');
            out.push_str(name);
            out.push_str("=\"");
            escape(value, out);
            out.push('"');
        }
        match &self.content {
            Content::Text(text) if !text.is_empty() => {
                out.push('>');
                escape(text, out);
            }
            Content::Children(children) if !children.is_empty() => {
                out.push('>');
                children.iter().for_each(|child| child.write(out));
            }
            Content::Text(_) | Content::Children(_) => {
                out.push_str("/>");
                return;
            }
        }
        out.push_str("</");
        out.push_str(&self.name);
        out.push('>');
    }
}

/// Characters that XML 1.0 cannot hold in any spelling become U+FFFD: a caller's control character must not make
/// the answer unreadable.
fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // A parser would turn it into a line feed.
            '\r' => out.push_str("&#13;"),
            '\t' | '\n' => out.push(c),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ => out.push(c),
        }
    }
}

/// A success of a query service (IAM, STS, …): `<ActionResponse><ActionResult>…` with the request's id.
///
/// `result` is renamed; operations that answer with nothing pass none and get no result element.
pub fn query_response(
    action: &str,
    namespace: &str,
    result: Option<Element>,
    request_id: &str,
) -> String {
    let metadata = Element::new("ResponseMetadata").field("RequestId", request_id);
    Element::new(format!("{action}Response"))
        .attribute("xmlns", namespace)
        .children(result.map(|result| result.renamed(format!("{action}Result"))))
        .child(metadata)
        .to_document()
}

/// A success of EC2: `<ActionResponse>` with the request's id and the children of `body` right in it.
pub fn ec2_response(action: &str, body: Element, request_id: &str) -> String {
    let mut root = Element::new(format!("{action}Response"))
        .attribute("xmlns", namespace::EC2)
        .field("requestId", request_id);
    if let Content::Children(children) = body.content {
        root = root.children(children);
    }
    root.to_document()
}

/// The body of EC2 actions that have nothing to tell: `<return>true</return>`.
pub fn ec2_true() -> Element {
    Element::new("body").field("return", true)
}

/// An error of a query service. Statuses from 500 on are the receiver's fault, others the sender's.
pub fn query_error(
    namespace: &str,
    status: u16,
    code: &str,
    message: &str,
    request_id: &str,
) -> String {
    let error = Element::new("Error")
        .field("Type", if status >= 500 { "Receiver" } else { "Sender" })
        .field("Code", code)
        .field("Message", message);
    Element::new("ErrorResponse")
        .attribute("xmlns", namespace)
        .child(error)
        .field("RequestId", request_id)
        .to_document()
}

/// An error of EC2.
pub fn ec2_error(code: &str, message: &str, request_id: &str) -> String {
    let error = Element::new("Error").field("Code", code).field("Message", message);
    Element::new("Response")
        .child(Element::new("Errors").child(error))
        // Capital D: that is how EC2 spells it here, and only here.
        .field("RequestID", request_id)
        .to_document()
}

/// An error of S3; `resource` is the path that was asked for.
pub fn s3_error(code: &str, message: &str, resource: &str, request_id: &str) -> String {
    Element::new("Error")
        .field("Code", code)
        .field("Message", message)
        .field("Resource", resource)
        .field("RequestId", request_id)
        .field("HostId", request_id)
        .to_document()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(document: &str) -> &str {
        document.split_once('\n').expect("a declaration").1
    }

    #[test]
    fn nothing_that_a_caller_sends_breaks_an_answer() {
        let hostile = "</a><b x=\"&amp;'\u{0}\r\n\u{1b}]]>\u{ffff}é";
        let document = Element::of("a", hostile).attribute("k", "\"<").to_document();
        assert_eq!(
            body(&document),
            "<a k=\"&quot;&lt;\">&lt;/a&gt;&lt;b x=&quot;&amp;amp;'\u{fffd}&#13;\n\u{fffd}]]&gt;\u{fffd}é</a>"
        );
    }

    #[test]
    fn a_query_answer_has_a_result_only_if_there_is_one() {
        let users = Element::list("Users", "member", [Element::new("x").field("UserName", "a")]);
        let result = Element::new("x").child(users).optional("Marker", None::<&str>);
        let with = query_response("ListUsers", namespace::IAM, Some(result), "r-1");
        assert_eq!(
            body(&with),
            "<ListUsersResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><ListUsersResult><Users>\
             <member><UserName>a</UserName></member></Users></ListUsersResult>\
             <ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></ListUsersResponse>"
        );
        let without = query_response("DeleteUser", namespace::IAM, None, "r-1");
        assert!(!without.contains("Result"), "{without}");
    }

    #[test]
    fn an_ec2_answer_has_no_result_element() {
        let empty = Element::list("reservationSet", "item", []);
        let answer = ec2_response("DescribeInstances", Element::new("x").child(empty), "r-1");
        assert_eq!(
            body(&answer),
            "<DescribeInstancesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\
             <requestId>r-1</requestId><reservationSet/></DescribeInstancesResponse>"
        );
        assert!(ec2_response("CreateTags", ec2_true(), "r").contains("<return>true</return>"));
    }

    #[test]
    fn errors_have_each_dialects_form() {
        assert_eq!(
            body(&query_error(namespace::STS, 403, "AccessDenied", "no", "r-1")),
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
             <Code>AccessDenied</Code><Message>no</Message></Error><RequestId>r-1</RequestId></ErrorResponse>"
        );
        assert!(query_error(namespace::STS, 500, "x", "y", "z").contains("<Type>Receiver</Type>"));
        assert_eq!(
            body(&ec2_error("InvalidInstanceID.NotFound", "no <i>", "r-1")),
            "<Response><Errors><Error><Code>InvalidInstanceID.NotFound</Code><Message>no &lt;i&gt;</Message>\
             </Error></Errors><RequestID>r-1</RequestID></Response>"
        );
        assert!(
            body(&s3_error("NoSuchKey", "m", "/b/k", "r")).starts_with("<Error><Code>NoSuchKey")
        );
    }
}
