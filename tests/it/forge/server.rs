//! HTTP/1.1 on loopback, as little as a client needs; and git's own CGI program for repositories.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::JoinHandle;

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::{Ask, Dialect, Model, Reply, Seen, Shared, Wrong, app, gitea, github};

/// A running server; it ends with this value.
#[derive(Debug)]
pub struct Sim {
    pub model: Shared,
    pub url: String,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

struct Request {
    method: String,
    target: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Sim {
    pub fn start(model: Model) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let url = format!("http://{address}");
        let model = Shared(Arc::new(Mutex::new(model)));
        let stop = Arc::new(AtomicBool::new(false));
        let (shared, ended, base) = (model.clone(), Arc::clone(&stop), url.clone());
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::SeqCst) {
                    break;
                }
                let (shared, base) = (shared.clone(), base.clone());
                if let Ok(stream) = stream {
                    std::thread::spawn(move || drop(serve(&stream, &shared, &base)));
                }
            }
        });
        Self { model, url, stop, thread: Some(thread) }
    }

    /// Requests to the API since the last time, as `METHOD /path status`.
    pub fn requests(&self) -> Vec<String> {
        let mut model = self.model.lock();
        let log = std::mem::take(&mut model.log);
        log.iter().filter(|seen| !seen.git).map(|seen| format!("{} {}", seen.line, seen.status)).collect()
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let address = self.url.trim_start_matches("http://");
        drop(TcpStream::connect(address));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn read(stream: &TcpStream) -> std::io::Result<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next().unwrap_or("").to_owned(), words.next().unwrap_or("").to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let mut body = vec![];
    if headers.get("transfer-encoding").is_some_and(|t| t == "chunked") {
        loop {
            let mut size = String::new();
            reader.read_line(&mut size)?;
            let size = u64::from_str_radix(size.trim(), 16).unwrap_or(0);
            (&mut reader).take(size).read_to_end(&mut body)?;
            let mut end = String::new();
            reader.read_line(&mut end)?;
            if size == 0 {
                break;
            }
        }
    } else {
        let length = headers.get("content-length").and_then(|l| l.parse().ok()).unwrap_or(0);
        (&mut reader).take(length).read_to_end(&mut body)?;
    }
    Ok(Request { method, target, headers, body })
}

fn serve(stream: &TcpStream, model: &Shared, url: &str) -> std::io::Result<()> {
    let request = read(stream)?;
    if request.method.is_empty() {
        return Ok(());
    }
    let line = format!("{} {}", request.method, request.target);
    let wrong = fault(&mut model.lock(), &line);
    let git = request.target.contains(".git/");
    let mut reply = match &wrong {
        Some(Wrong::Answer(status, headers, body)) => headers.iter().fold(
            Reply { status: *status, headers: vec![], body: body.clone().into_bytes() },
            |reply, (name, value)| reply.with(name, value.clone()),
        ),
        Some(Wrong::LoseAnswer | Wrong::Truncate | Wrong::Slow) | None if git => git_backend(model, &request),
        Some(Wrong::LoseAnswer | Wrong::Truncate | Wrong::Slow) | None => {
            api(&mut model.lock(), &request, url)
        }
    };
    let tags = model.lock().dialect == Dialect::Github;
    if request.method == "GET" && reply.status == 200 && !git && tags {
        let tag = format!("W/\"{:x}\"", hash(&reply.body));
        if request.headers.get("if-none-match") == Some(&tag) {
            reply = Reply::empty(304);
        }
        reply = reply.with("etag", tag);
    }
    {
        let mut model = model.lock();
        let date = OffsetDateTime::from_unix_timestamp(model.now() - model.slow_clock).unwrap();
        reply = reply.with("date", date.format(&Rfc2822).unwrap().replace("+0000", "GMT"));
        let (status, body) = (reply.status, request.body.clone());
        let kept = if git { Reply::empty(status) } else { reply.clone() };
        model.log.push(Seen { line, status, git, body, reply: kept });
    }
    if matches!(wrong, Some(Wrong::LoseAnswer)) {
        return Ok(());
    }
    let head = head(&reply);
    let mut out = stream;
    if matches!(wrong, Some(Wrong::Slow)) {
        out.write_all(&head.as_bytes()[..head.len() / 2])?;
        return out.read(&mut [0]).map(drop);
    }
    out.write_all(head.as_bytes())?;
    let body = &reply.body;
    out.write_all(if matches!(wrong, Some(Wrong::Truncate)) { &body[..body.len() / 2] } else { body })
}

fn head(reply: &Reply) -> String {
    let mut head = format!("HTTP/1.1 {} Simulated\r\nConnection: close\r\n", reply.status);
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if reply.status != 304 && reply.status != 204 {
        head.push_str(&format!("Content-Length: {}\r\n", reply.body.len()));
    }
    head + "\r\n"
}

/// Gives the answers that were given before, to requests that say in a header which one they are of.
#[derive(Debug)]
pub struct Replay {
    pub url: String,
    pub replies: Arc<Mutex<Vec<Reply>>>,
    /// Those that were asked for.
    pub asked: Arc<Mutex<BTreeSet<usize>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Replay {
    pub const HEADER: &str = "x-exchange";

    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(BTreeSet::new())));
        let replies: Arc<Mutex<Vec<Reply>>> = Arc::default();
        let (ended, seen, given) = (Arc::clone(&stop), Arc::clone(&asked), Arc::clone(&replies));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::SeqCst) {
                    break;
                }
                let Ok(mut stream) = stream else { continue };
                let Ok(request) = read(&stream) else { continue };
                let which = request.headers.get(Self::HEADER).and_then(|n| n.parse::<usize>().ok());
                let Some((index, reply)) =
                    which.and_then(|n| Some((n, given.lock().unwrap().get(n)?.clone())))
                else {
                    continue;
                };
                seen.lock().unwrap().insert(index);
                drop(stream.write_all(head(&reply).as_bytes()).and_then(|()| stream.write_all(&reply.body)));
            }
        });
        Self { url, replies, asked, stop, thread: Some(thread) }
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.url.trim_start_matches("http://")));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn hash(bytes: &[u8]) -> u64 {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

fn fault(model: &mut Model, line: &str) -> Option<Wrong> {
    let fault = model.faults.iter_mut().find(|f| f.times > 0 && line.contains(&f.at))?;
    if fault.skip > 0 {
        fault.skip -= 1;
        return None;
    }
    fault.times -= 1;
    Some(fault.what.clone())
}

pub fn decoded(text: &str) -> String {
    let mut out = vec![];
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let hex: Vec<u8> = bytes.by_ref().take(2).collect();
            out.push(u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap());
        } else {
            out.push(byte);
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The token in the header.
fn token(request: &Request) -> Option<&str> {
    let header = request.headers.get("authorization")?;
    header.strip_prefix("Bearer ").or_else(|| header.strip_prefix("token "))
}

fn api(model: &mut Model, request: &Request, url: &str) -> Reply {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let base = model.dialect.api();
    // What a redirect to another place is for: no token comes along.
    if let Some(id) = path.strip_prefix("/logs/") {
        let found = model.repos.values().flat_map(|r| &r.checks).find(|c| c.id.to_string() == id);
        assert!(!request.headers.contains_key("authorization"), "the token went to the place of the logs");
        return found.map_or_else(
            || Reply::empty(404),
            |c| Reply { body: c.log.clone().into(), ..Reply::empty(200) },
        );
    }
    let parts: Vec<String> =
        path.strip_prefix(base).unwrap_or(path).split('/').skip(1).map(decoded).collect();
    let below: Vec<&str> = parts.iter().map(String::as_str).collect();
    if let Some(reply) = app::answer(model, token(request), &request.method, &below) {
        return reply;
    }
    let Some(login) = token(request).and_then(|token| model.who(token)) else {
        return Reply::error(401, "Bad credentials");
    };
    let installed = model.app.as_ref().zip(token(request));
    let installed = installed.and_then(|(app, token)| app.installation_of(token, model.now()));
    let query_language = path.ends_with("/graphql");
    if let Some(of) = installed.filter(|_| !query_language)
        && let Some(reply) = app::refusal(of, &request.method, &below)
    {
        return reply;
    }
    let body = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
    let ask = Ask {
        method: &request.method,
        path: parts.clone(),
        query: query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), decoded(value)))
            .collect(),
        body,
        login: &login,
        base: format!("{url}{base}"),
        most: model.most_per_page,
        raw: &request.target,
    };
    match model.dialect {
        Dialect::Github => github::answer(model, &ask),
        Dialect::Gitea | Dialect::Forgejo => gitea::answer(model, &ask),
    }
}

/// The program of `git http-backend`, which git would start as another process.
fn backend() -> &'static Path {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(|| {
        let (_, told) = super::run(Path::new("/"), &["--exec-path"]);
        Path::new(told.trim()).join("git-http-backend")
    })
}

/// `/owner/name.git/...` by `git http-backend`, for those who may.
fn git_backend(model: &Shared, request: &Request) -> Reply {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let (repo, rest) = path.trim_start_matches('/').split_once(".git/").unwrap();
    let (root, allowed) = {
        let model = model.lock();
        let header = request.headers.get("authorization").and_then(|h| h.strip_prefix("Basic "));
        let token = header.map(|h| {
            use base64::Engine as _;
            let pair = base64::prelude::BASE64_STANDARD.decode(h).unwrap_or_default();
            String::from_utf8_lossy(&pair).split_once(':').map_or_else(String::new, |(_, t)| t.to_owned())
        });
        let login = token.and_then(|t| model.who(&t));
        let writes = query.contains("receive-pack") || rest.contains("receive-pack");
        let allowed = match login {
            None => Err(401),
            Some(_) if !model.repos.contains_key(repo) => Err(404),
            Some(login) if writes && !model.may_write(repo, &login) => Err(403),
            Some(login) => Ok(login),
        };
        (model.git.clone(), allowed)
    };
    let login = match allowed {
        Ok(login) => login,
        Err(401) => return Reply::empty(401).with("www-authenticate", "Basic realm=\"sim\""),
        Err(status) => return Reply::empty(status),
    };
    let mut child = Command::new(backend())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("PATH_INFO", format!("/{repo}/repo.git/{rest}"))
        .env("QUERY_STRING", query)
        .env("REQUEST_METHOD", &request.method)
        .env("REMOTE_USER", &login)
        .env("REMOTE_ADDR", "127.0.0.1")
        .env("CONTENT_TYPE", request.headers.get("content-type").cloned().unwrap_or_default())
        .env("CONTENT_LENGTH", request.body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", request.headers.get("content-encoding").cloned().unwrap_or_default())
        .env("GIT_PROTOCOL", request.headers.get("git-protocol").cloned().unwrap_or_default())
        .env("GIT_CONFIG_COUNT", "2")
        .env("GIT_CONFIG_KEY_0", "safe.directory")
        .env("GIT_CONFIG_VALUE_0", "*")
        .env("GIT_CONFIG_KEY_1", "receive.autogc")
        .env("GIT_CONFIG_VALUE_1", "false")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let body = request.body.clone();
    let writer = std::thread::spawn(move || drop(stdin.write_all(&body)));
    let output = child.wait_with_output().unwrap();
    drop(writer.join());
    let at = output.stdout.windows(4).position(|w| w == b"\r\n\r\n").unwrap_or(0);
    let mut reply = Reply { status: 200, headers: vec![], body: output.stdout[at + 4..].to_vec() };
    for line in String::from_utf8_lossy(&output.stdout[..at]).lines() {
        match line.split_once(": ") {
            Some(("Status", status)) => reply.status = status[..3].parse().unwrap(),
            Some((name, value)) => reply.headers.push((name.to_owned(), value.to_owned())),
            None => {}
        }
    }
    if rest == "git-receive-pack" {
        let mut model = model.lock();
        model.test_pushes();
        model.close_by_words(repo, &login);
    }
    reply
}
