//! An OCI registry as one stateful model behind real HTTP on loopback: a token flow, pages, servers that do otherwise than they
//! are asked, lists that are cut short, limits. It counts what it is asked.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// How the registry behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mood {
    /// Pages of `page` tags, however many were asked for; the next page's link is relative.
    Pages {
        page: usize,
    },
    /// All tags at once, whatever `n` says, and no link.
    IgnoresN,
    /// The first page only, with as many tags as were asked for and no link; what follows is told when asked with `last`.
    NoLink,
    /// A next page on another server.
    CrossOrigin,
    /// The next page is the same page.
    Circle,
    /// The body ends in the middle.
    Truncated,
    /// JSON that is no list of tags.
    Html,
    Limited {
        seconds: u32,
    },
    Broken,
    /// A token service of another scheme.
    PlainTokens,
}

struct State {
    images: BTreeMap<String, Vec<String>>,
    mood: Mood,
    wants_token: bool,
    asked: Vec<String>,
}

pub struct Registry {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Registry {
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State {
            images: BTreeMap::new(),
            mood: Mood::Pages { page: 3 },
            wants_token: true,
            asked: vec![],
        }));
        let stop = Arc::new(AtomicBool::new(false));
        let thread = {
            let (state, stop) = (Arc::clone(&state), Arc::clone(&stop));
            std::thread::spawn(move || {
                for stream in listener.incoming() {
                    if stop.load(Ordering::SeqCst) {
                        return;
                    }
                    if let Ok(stream) = stream {
                        answer(stream, &state, address);
                    }
                }
            })
        };
        Self { address, state, stop, thread: Some(thread) }
    }

    pub fn host(&self) -> String {
        self.address.to_string()
    }

    pub fn image(&self, path: &str, tags: &[&str]) {
        let tags = tags.iter().map(|t| (*t).to_owned()).collect();
        self.state.lock().unwrap().images.insert(path.to_owned(), tags);
    }

    pub fn mood(&self, mood: Mood) {
        self.state.lock().unwrap().mood = mood;
    }

    pub fn without_tokens(&self) {
        self.state.lock().unwrap().wants_token = false;
    }

    /// Every path that was asked for, in order.
    pub fn asked(&self) -> Vec<String> {
        self.state.lock().unwrap().asked.clone()
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

fn answer(stream: TcpStream, state: &Mutex<State>, address: SocketAddr) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut first, mut authorized) = (String::new(), false);
    if reader.read_line(&mut first).is_err() {
        return;
    }
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).is_err() || line.trim().is_empty() {
            break;
        }
        authorized |= line.to_lowercase().starts_with("authorization: bearer good");
    }
    let path = first.split(' ').nth(1).unwrap_or("/").to_owned();
    let mut state = state.lock().unwrap();
    state.asked.push(path.clone());
    let (status, headers, body, cut) = respond(&state, &path, authorized, address);
    let length = if cut { body.len() + 50 } else { body.len() };
    let mut text = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n"
    );
    for header in headers {
        text.push_str(&format!("{header}\r\n"));
    }
    text.push_str(&format!("\r\n{body}"));
    let mut stream = stream;
    drop(stream.write_all(text.as_bytes()));
}

type Response = (&'static str, Vec<String>, String, bool);

fn respond(state: &State, path: &str, authorized: bool, address: SocketAddr) -> Response {
    let plain = |status, body: &str| (status, vec![], body.to_owned(), false);
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let field = |name: &str| {
        query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).map(str::to_owned)
    };
    if path == "/token" {
        return plain("200 OK", "{\"token\":\"good\"}");
    }
    match &state.mood {
        Mood::Limited { seconds } => {
            return (
                "429 Too Many Requests",
                vec![format!("Retry-After: {seconds}")],
                "{}".to_owned(),
                false,
            );
        }
        Mood::Broken => return plain("503 Service Unavailable", "<html>"),
        Mood::Pages { .. }
        | Mood::IgnoresN
        | Mood::NoLink
        | Mood::CrossOrigin
        | Mood::Circle
        | Mood::Truncated
        | Mood::Html
        | Mood::PlainTokens => {}
    }
    if state.wants_token && !authorized {
        let realm = if state.mood == Mood::PlainTokens {
            "http://tokens.example.org/token".to_owned()
        } else {
            format!("http://{address}/token")
        };
        let challenge =
            format!("WWW-Authenticate: Bearer realm=\"{realm}\",service=\"r\",scope=\"repository:x:pull\"");
        return ("401 Unauthorized", vec![challenge], "{}".to_owned(), false);
    }
    let image = path.strip_prefix("/v2/").and_then(|p| p.strip_suffix("/tags/list"));
    let Some(tags) = image.and_then(|image| state.images.get(image)) else {
        return plain("404 Not Found", "{\"errors\":[]}");
    };
    let mut tags = tags.clone();
    tags.sort();
    let asked: usize = field("n").and_then(|n| n.parse().ok()).unwrap_or(100);
    let after = field("last");
    let rest: Vec<String> = tags.iter().filter(|t| after.as_ref().is_none_or(|a| *t > a)).cloned().collect();
    let list = |tags: &[String]| serde_json::json!({ "name": image, "tags": tags }).to_string();
    let link = |target: String| vec![format!("Link: <{target}>; rel=\"next\"")];
    match &state.mood {
        Mood::IgnoresN => plain("200 OK", &list(&tags)),
        Mood::NoLink => plain("200 OK", &list(&rest[..asked.min(rest.len())])),
        Mood::Html => plain("200 OK", "<html>a portal</html>"),
        Mood::Truncated => ("200 OK", vec![], list(&tags[..1])[..8].to_owned(), true),
        Mood::CrossOrigin => {
            ("200 OK", link(format!("http://evil.example.org{path}?n=1&last=x")), list(&tags[..1]), false)
        }
        Mood::Circle => ("200 OK", link(format!("{path}?{query}")), list(&tags[..1]), false),
        Mood::Pages { page } => {
            let here = &rest[..(*page).min(rest.len())];
            let headers = match here.last() {
                Some(after) if here.len() < rest.len() => link(format!("{path}?n={page}&last={after}")),
                _ => vec![],
            };
            ("200 OK", headers, list(here), false)
        }
        Mood::Limited { .. } | Mood::Broken | Mood::PlainTokens => plain("500 Internal Server Error", ""),
    }
}

mod client {
    use super::{Mood, Registry};
    use offhours::adapters::host::SystemClock;
    use offhours::adapters::registry::OciRegistry;
    use offhours::domain::upgrade::recipe::ImageName;
    use offhours::ports::{PortError, PortResult, Registry as _};

    fn tags(registry: &Registry) -> PortResult<Vec<String>> {
        let client = OciRegistry::new(Box::new(SystemClock), &[registry.host()]);
        client.tags(&ImageName { registry: Some(registry.host()), path: "team/app".into() })
    }

    fn filled() -> Registry {
        let registry = Registry::new();
        registry.image("team/app", &["1.0.0", "1.1.0", "1.2.0", "1.3.0", "latest"]);
        registry
    }

    fn error(registry: &Registry) -> PortError {
        tags(registry).unwrap_err()
    }

    #[test]
    fn token_flow_and_every_page() {
        let registry = filled();
        assert_eq!(tags(&registry).unwrap(), ["1.0.0", "1.1.0", "1.2.0", "1.3.0", "latest"]);
        let asked = registry.asked();
        assert!(asked[1].starts_with("/token?service=r&scope=repository"), "{asked:?}");
        assert_eq!(
            asked.iter().filter(|path| path.starts_with("/token")).count(),
            1,
            "one token is enough: {asked:?}"
        );
        registry.without_tokens();
        assert_eq!(tags(&registry).unwrap().len(), 5);
    }

    #[test]
    fn servers_that_do_otherwise_than_asked() {
        let registry = filled();
        registry.mood(Mood::IgnoresN);
        assert_eq!(tags(&registry).unwrap().len(), 5);
        let many: Vec<String> = (0..1203).map(|n| format!("1.0.{n:04}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        registry.image("team/app", &many);
        assert_eq!(tags(&registry).unwrap().len(), 1203, "all at once, and more than a page");
        registry.mood(Mood::NoLink);
        assert_eq!(
            tags(&registry).unwrap().len(),
            1203,
            "a full page without a link is asked for what follows"
        );
    }

    #[test]
    fn a_list_that_is_not_whole_is_never_a_short_list() {
        let registry = filled();
        for (mood, why) in [
            (Mood::CrossOrigin, "another server"),
            (Mood::Circle, "in a circle"),
            (Mood::Truncated, "broke off"),
            (Mood::Html, "no list of tags"),
            (Mood::Broken, "answered 503"),
            (Mood::PlainTokens, "not spoken to with TLS"),
        ] {
            registry.mood(mood.clone());
            let error = error(&registry);
            assert!(error.to_string().contains(why), "{mood:?}: {error}");
        }
        assert!(!registry.asked().iter().any(|path| path.contains("evil")));
    }

    #[test]
    fn a_limit_names_its_time_and_a_missing_image_is_gone() {
        let registry = filled();
        registry.mood(Mood::Limited { seconds: 90 });
        assert!(matches!(error(&registry), PortError::Later { after: Some(_), .. }));
        registry.mood(Mood::Pages { page: 2 });
        let client = OciRegistry::new(Box::new(SystemClock), &[registry.host()]);
        let name = ImageName { registry: Some(registry.host()), path: "team/other".into() };
        assert!(matches!(client.tags(&name), Err(PortError::Gone { .. })));
    }
}
