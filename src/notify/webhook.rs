//! `webhook`: one POST of `noctty.notification/1`. A status other than 2xx is a failure; redirects are not followed, since
//! what is sent is for one place.

use std::sync::Arc;

use url::Url;

use super::{Batch, Cx, Deliver, Delivering, How, Kind, json};
use crate::base::options::{OptionDoc, Problem, Reader, SecretRef};
use crate::base::{Secret, Untrusted};
use crate::net::http::{self, Fetch};
use crate::net::tls::{self, Trust};
use crate::process::secret;

pub static KIND: Kind = Kind {
    name: "webhook",
    help: "one HTTP POST of JSON (noctty.notification/1)",
    options: &[
        OptionDoc { name: "url", form: "string", default: "", help: "where to; or `url_secret`" },
        OptionDoc {
            name: "url_secret",
            form: "secret",
            default: "",
            help: "the whole URL, where it is a secret itself",
        },
        OptionDoc {
            name: "authorization",
            form: "secret",
            default: "",
            help: "the Authorization header, such as `Bearer …`",
        },
        tls::CA,
        tls::VERIFY,
    ],
    bind,
};

#[derive(Debug)]
struct Webhook {
    url: SecretRef,
    authorization: Option<SecretRef>,
    trust: Trust,
}

fn bind(options: &mut Reader<'_>) -> Option<How> {
    let plain = options.string("url");
    let hidden = options.secret("url_secret");
    let authorization = options.secret("authorization");
    let trust = Trust::read(options);
    let url = match (plain, hidden) {
        (Some(text), None) => {
            if let Err(why) = parse(&text) {
                let place = options.node("url").map_or_else(|| options.place().clone(), |node| node.place.clone());
                options.problem(Problem::error(&place, why).hint("url = \"https://alerts.example.net/noctty\""));
                return None;
            }
            SecretRef::Literal(Secret::new(text))
        }
        (None, Some(reference)) => reference,
        _ => {
            let place = options.place().clone();
            options.problem(Problem::error(&place, "a webhook needs exactly one of `url`, `url_secret`"));
            return None;
        }
    };
    Some(How::By(Arc::new(Webhook { url, authorization, trust })))
}

fn parse(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("that is no URL: {error}"))?;
    if matches!(url.scheme(), "http" | "https") && url.has_host() {
        Ok(url)
    } else {
        Err("that is no http or https URL".to_owned())
    }
}

impl Deliver for Webhook {
    fn deliver<'a>(&'a self, cx: &'a Cx, batch: &'a Batch) -> Delivering<'a> {
        Box::pin(self.post(cx, batch))
    }
}

impl Webhook {
    async fn post(&self, cx: &Cx, batch: &Batch) -> Result<(), String> {
        let url = secret::fetch(&self.url).await.map_err(|error| format!("the URL: {error}"))?;
        let url = parse(url.expose())?;
        let mut headers = vec![("content-type".to_owned(), Secret::new("application/json".to_owned()))];
        if let Some(reference) = &self.authorization {
            let value = secret::fetch(reference).await.map_err(|error| format!("the authorization: {error}"))?;
            headers.push(("authorization".to_owned(), value));
        }
        let name: Arc<str> = http::host_name(&url).into();
        let found = cx.net.names.addresses(&name, None, cx.timeout).await;
        let addresses = found.map_err(|error| error.to_string())?;
        let content = json(batch);
        let fetch = Fetch {
            url: &url,
            addresses: &addresses,
            proxy: None,
            method: "POST",
            headers: &headers,
            content: &content,
            trust: &self.trust,
            own: None,
            http2: true,
            body_limit: 4 * 1024,
            now: cx.net.clock.wall(),
        };
        let fetched = http::fetch(&cx.net.tls, &fetch, cx.timeout).await.fetched.map_err(|error| error.to_string())?;
        if (200..300).contains(&fetched.status) {
            return Ok(());
        }
        let said = Untrusted::bounded(&fetched.body, 200).line();
        let said = if said.is_empty() { String::new() } else { format!(": {said}") };
        Err(format!("{name} answered HTTP {}{said}", fetched.status))
    }
}
