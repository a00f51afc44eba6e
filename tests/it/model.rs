//! A scripted model on loopback, behind the two protocols that agents speak: Anthropic's messages and `OpenAI`'s responses.
//!
//! It is asked by real agent programs. To each prompt it answers with the next act of its script, a shell command that the
//! agent is to run; once the agent sends what came of it, it says a closing word.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};

/// What the model does when it is prompted. The last act is done for every further prompt, too.
#[derive(Clone)]
pub enum Act {
    /// Asks the agent to run this shell command.
    Run(String),
    Say(&'static str),
    /// Refuses with this status, these headers and this message.
    Refuse(u16, &'static [(&'static str, &'static str)], &'static str),
    /// Never answers.
    Hang,
}

#[derive(Default)]
struct Script {
    acts: VecDeque<Act>,
    /// What the agent sent, whole, for each prompt that was answered with an act.
    prompts: Vec<String>,
    /// Calls of tools have names that differ, or agents take them for one.
    calls: u32,
    over: bool,
    open: Vec<TcpStream>,
}

pub struct Model {
    pub port: u16,
    script: Arc<Mutex<Script>>,
    listener: Option<JoinHandle<()>>,
}

impl Model {
    pub fn new(acts: impl IntoIterator<Item = Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let script = Arc::new(Mutex::new(Script { acts: acts.into_iter().collect(), ..Script::default() }));
        let shared = Arc::clone(&script);
        let accept = std::thread::spawn(move || {
            for stream in listener.incoming().filter_map(Result::ok) {
                let mut held = shared.lock().unwrap();
                if held.over {
                    return;
                }
                held.open.push(stream.try_clone().unwrap());
                drop(held);
                let script = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &script));
            }
        });
        Self { port, script, listener: Some(accept) }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What the agent sent with each of its prompts.
    pub fn prompts(&self) -> Vec<String> {
        self.script.lock().unwrap().prompts.clone()
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        if let Ok(mut script) = self.script.lock() {
            script.over = true;
            for stream in script.open.drain(..) {
                drop(stream.shutdown(Shutdown::Both));
            }
        }
        // Wakes the listener, so that it sees that it is over.
        drop(TcpStream::connect_timeout(&([127, 0, 0, 1], self.port).into(), Duration::from_secs(1)));
        if let Some(listener) = self.listener.take() {
            drop(listener.join());
        }
    }
}

fn serve(stream: TcpStream, script: &Mutex<Script>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    while let Some(request) = request(&mut reader) {
        if answer(&mut stream, &request.path, &request.body, script).is_none() {
            return;
        }
    }
}

/// One HTTP request, as far as the simulated servers look at it.
pub struct Request {
    pub path: String,
    pub authorization: String,
    pub body: Vec<u8>,
}

/// The next request of a connection; `None` where it ends.
pub fn request(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut first = String::new();
    reader.read_line(&mut first).ok().filter(|n| *n > 0)?;
    let path = first.split(' ').nth(1)?.to_owned();
    let (mut length, mut authorization) = (0, String::new());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
        let whole = line.trim();
        let line = whole.to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if line.starts_with("authorization:") {
            whole["authorization:".len()..].trim().clone_into(&mut authorization);
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request { path, authorization, body })
}

pub fn send(
    stream: &mut TcpStream,
    status: u16,
    headers: &[(&str, &str)],
    kind: &str,
    body: &str,
) -> Option<()> {
    let mut head =
        format!("HTTP/1.1 {status} x\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{head}\r\n{body}").as_bytes()).ok()
}

fn answer(stream: &mut TcpStream, path: &str, body: &[u8], script: &Mutex<Script>) -> Option<()> {
    let asked: Value = serde_json::from_slice(body).unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default();
    let anthropic = path.ends_with("/messages");
    if !anthropic && !path.ends_with("/responses") {
        let plain = json!({ "data": [], "models": [], "has_more": false, "input_tokens": 10 });
        return send(stream, 200, &[], "application/json", &plain.to_string());
    }
    let tool = if anthropic { anthropic_tool(&asked) } else { openai_tool(&asked) };
    let answered = if anthropic { anthropic_answered(&asked) } else { openai_answered(&asked) };
    // Agents ask for titles and summaries on the side, without the tool.
    let act = if tool.is_none() || answered {
        Act::Say("Done: the work is committed.")
    } else {
        let mut script = script.lock().unwrap();
        script.prompts.push(String::from_utf8_lossy(body).into_owned());
        let next = if script.acts.len() > 1 { script.acts.pop_front() } else { script.acts.front().cloned() };
        next.unwrap_or(Act::Say("Nothing is to be done."))
    };
    match act {
        Act::Hang => {
            std::thread::sleep(Duration::from_secs(600));
            None
        }
        Act::Refuse(status, headers, message) => {
            let error = json!({ "type": "error", "error": { "type": "refused", "message": message } });
            send(stream, status, headers, "application/json", &error.to_string())
        }
        Act::Run(_) | Act::Say(_) => {
            let call = {
                let mut script = script.lock().unwrap();
                script.calls += 1;
                script.calls
            };
            let tool = tool.as_deref().unwrap_or_default();
            let events =
                if anthropic { anthropic_events(&act, tool, call) } else { openai_events(&act, tool, call) };
            let mut text = String::new();
            for event in events {
                text += &format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap());
            }
            send(stream, 200, &[], "text/event-stream", &text)
        }
    }
}

fn named<'a>(asked: &Value, names: &[&'a str]) -> Option<&'a str> {
    let tools = asked["tools"].as_array()?;
    names.iter().copied().find(|name| tools.iter().any(|tool| tool["name"].as_str() == Some(name)))
}

fn anthropic_tool(asked: &Value) -> Option<String> {
    named(asked, &["Bash", "bash"]).map(str::to_owned)
}

/// Whether a tool's result came after what the model said last.
fn anthropic_answered(asked: &Value) -> bool {
    let messages = asked["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let since = messages.iter().rposition(|m| m["role"] == "assistant").map_or(0, |at| at + 1);
    let result = |part: &Value| part["type"] == "tool_result";
    messages[since..].iter().any(|m| m["content"].as_array().is_some_and(|parts| parts.iter().any(result)))
}

fn openai_tool(asked: &Value) -> Option<String> {
    named(asked, &["exec_command", "shell_command", "shell"]).map(str::to_owned)
}

fn openai_answered(asked: &Value) -> bool {
    let items = asked["input"].as_array().map(Vec::as_slice).unwrap_or_default();
    let result = |item: &Value| item["type"].as_str().is_some_and(|kind| kind.ends_with("_call_output"));
    let answer = items.iter().rposition(result);
    answer.is_some_and(|at| !items[at..].iter().any(|item| item["role"] == "user"))
}

fn anthropic_events(act: &Act, tool: &str, call: u32) -> Vec<Value> {
    let usage = json!({ "input_tokens": 1000, "output_tokens": 1, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0 });
    let message = json!({ "id": format!("msg_{call}"), "type": "message", "role": "assistant", "model": "stub", "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": usage });
    let (block, delta, stop) = match act {
        Act::Run(command) => (
            json!({ "type": "tool_use", "id": format!("toolu_{call}"), "name": tool, "input": {} }),
            json!({ "type": "input_json_delta",
                "partial_json": json!({ "command": command, "description": "work" }).to_string() }),
            "tool_use",
        ),
        Act::Say(text) => {
            (json!({ "type": "text", "text": "" }), json!({ "type": "text_delta", "text": text }), "end_turn")
        }
        Act::Refuse(..) | Act::Hang => unreachable!(),
    };
    vec![
        json!({ "type": "message_start", "message": message }),
        json!({ "type": "content_block_start", "index": 0, "content_block": block }),
        json!({ "type": "content_block_delta", "index": 0, "delta": delta }),
        json!({ "type": "content_block_stop", "index": 0 }),
        json!({ "type": "message_delta", "delta": { "stop_reason": stop, "stop_sequence": null },
            "usage": { "output_tokens": 200 } }),
        json!({ "type": "message_stop" }),
    ]
}

fn openai_events(act: &Act, tool: &str, call: u32) -> Vec<Value> {
    let item = match act {
        Act::Run(command) => {
            let arguments = match tool {
                "exec_command" => json!({ "cmd": command }),
                "shell_command" => json!({ "command": command }),
                _ => json!({ "command": ["sh", "-c", command] }),
            };
            json!({ "type": "function_call", "id": format!("fc_{call}"), "call_id": format!("call_{call}"), "name": tool,
                "arguments": arguments.to_string() })
        }
        Act::Say(text) => json!({ "type": "message", "id": format!("msg_{call}"), "role": "assistant",
            "content": [{ "type": "output_text", "text": text }] }),
        Act::Refuse(..) | Act::Hang => unreachable!(),
    };
    let usage = json!({ "input_tokens": 1000, "input_tokens_details": { "cached_tokens": 0 }, "output_tokens": 200,
        "output_tokens_details": { "reasoning_tokens": 0 }, "total_tokens": 1200 });
    vec![
        json!({ "type": "response.created", "response": { "id": format!("resp_{call}") } }),
        json!({ "type": "response.output_item.done", "output_index": 0, "item": item }),
        json!({ "type": "response.completed", "response": { "id": format!("resp_{call}"), "usage": usage } }),
    ]
}
