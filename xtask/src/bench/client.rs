//! A small blocking client: one kept-alive connection, requests signed by our own signer.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use serde_json::Value;
use wire::sigv4::{self, Credentials, Request, Scope};

/// The region that requests are signed for unless another is asked for.
pub const REGION: &str = "us-east-1";

/// Longer than the server holds an idle poll.
const READ_TIMEOUT: Duration = Duration::from_secs(80);

/// One connection to one server on this machine, with one set of credentials.
pub struct Client {
    address: SocketAddr,
    pub credentials: Credentials,
    /// The region that requests are signed for.
    pub region: String,
    connection: Option<BufReader<TcpStream>>,
}

impl Client {
    /// A client of the server on a loopback port.
    pub fn new(port: u16, credentials: Credentials) -> Self {
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            credentials,
            region: REGION.to_owned(),
            connection: None,
        }
    }

    /// Where it goes to.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A call of CodeDeploy. An error answer is an error, with the server's words.
    pub fn codedeploy(&mut self, operation: &str, input: &Value) -> anyhow::Result<Value> {
        self.json("codedeploy", &format!("CodeDeploy_20141006.{operation}"), input)
    }

    /// A call of the agents' command service.
    pub fn command(&mut self, operation: &str, input: &Value) -> anyhow::Result<Value> {
        self.json(
            "codedeploy-commands",
            &format!("CodeDeployCommandService_v20141006.{operation}"),
            input,
        )
    }

    fn json(&mut self, service: &str, target: &str, input: &Value) -> anyhow::Result<Value> {
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target)];
        let answer = self.send(service, &headers, input.to_string().as_bytes())?;
        serde_json::from_slice(&answer).with_context(|| format!("{target} answers no JSON"))
    }

    /// A call of a form service (IAM, EC2): the answer's XML.
    pub fn form(&mut self, service: &str, form: &str) -> anyhow::Result<String> {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        Ok(String::from_utf8(self.send(service, &headers, form.as_bytes())?)?)
    }

    fn send(
        &mut self,
        service: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> anyhow::Result<Vec<u8>> {
        let scope = Scope { region: &self.region, service };
        let request = signed(self.address, &self.credentials, scope, headers, body)?;
        // A server may close an idle connection just when we write to it, so a kept one gets a second try.
        let kept = self.connection.is_some();
        let Answer { status, body, .. } = match self.exchange(&request) {
            Err(_) if kept => self.exchange(&request)?,
            result => result?,
        };
        if status != 200 {
            bail!("{service} answers {status}: {}", String::from_utf8_lossy(&body));
        }
        Ok(body)
    }

    /// Sends a request as it stands, and reads its answer.
    pub fn exchange(&mut self, request: &[u8]) -> anyhow::Result<Answer> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                let stream = TcpStream::connect(self.address)?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(READ_TIMEOUT))?;
                BufReader::new(stream)
            }
        };
        connection.get_mut().write_all(request)?;
        let mut line = String::new();
        connection.read_line(&mut line)?;
        let status: u16 = line.split(' ').nth(1).context("no HTTP answer")?.trim().parse()?;
        let mut keep = line.starts_with("HTTP/1.1");
        let (mut length, mut cookie) = (0, None);
        loop {
            line.clear();
            connection.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse()?;
            } else if name.eq_ignore_ascii_case("set-cookie") {
                cookie = value.split(';').next().map(|pair| pair.trim().to_owned());
            } else if name.eq_ignore_ascii_case("connection")
                && value.trim().eq_ignore_ascii_case("close")
            {
                keep = false;
            }
        }
        let mut body = vec![0; length];
        connection.read_exact(&mut body)?;
        self.connection = keep.then_some(connection);
        Ok(Answer { status, cookie, body })
    }
}

/// An answer, read whole.
pub struct Answer {
    pub status: u16,
    /// The cookie that it sets, as it is to be sent back.
    pub cookie: Option<String>,
    pub body: Vec<u8>,
}

/// The bytes of one signed request to a service at an address.
pub fn signed(
    address: SocketAddr,
    credentials: &Credentials,
    scope: Scope<'_>,
    headers: &[(&str, &str)],
    body: &[u8],
) -> anyhow::Result<Vec<u8>> {
    let host = address.to_string();
    let mut all = vec![("host", host.as_bytes())];
    all.extend(headers.iter().map(|(name, value)| (*name, value.as_bytes())));
    let request = Request { method: "POST", target: "/", headers: &all };
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())?;
    let added = sigv4::sign(&request, credentials, scope, now, &sigv4::payload_hash(body));
    let mut bytes =
        format!("POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\n", body.len())
            .into_bytes();
    let signed =
        headers.iter().copied().chain(added.iter().map(|(name, value)| (*name, value.as_str())));
    for (name, value) in signed {
        write!(bytes, "{name}: {value}\r\n")?;
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    Ok(bytes)
}

/// The texts of all elements of this name, in order; enough XML for the answers that we read.
pub fn texts<'a>(xml: &'a str, element: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    xml.split(&open).skip(1).filter_map(|rest| rest.split(&close).next()).collect()
}

#[cfg(test)]
mod tests {
    use super::texts;

    #[test]
    fn texts_of_an_element_come_in_order() {
        let xml = "<a><id>i-1</id><state><name>pending</name></state><id>i-2</id></a>";
        assert_eq!(texts(xml, "id"), ["i-1", "i-2"]);
        assert_eq!(texts(xml, "name"), ["pending"]);
        assert_eq!(texts(xml, "none"), Vec::<&str>::new());
    }
}
