//! A link between a client and a server that can be slow, and that can stop at a chosen request, so
//! that a test can do something in the very middle of what the client is doing.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{KitError, Result, io};
use crate::system::{PATIENCE, System};

/// Pieces under way in one direction, beyond which the sender has to wait.
const QUEUE: usize = 64;

/// Bytes that are taken at once, and so the grain of a slow link.
const PIECE: usize = 4 << 10;

/// How fast a link is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Speed {
    /// Time that each byte is under way, in each direction.
    pub latency: Duration,
    /// Bytes per second in each direction; as many as there are if absent.
    pub bytes_per_s: Option<u32>,
}

/// A port that leads to the client port of a server. Dropping it closes every connection.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    server: u16,
    speed: Speed,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Where the next request that is stopped begins: `PUB <subject> `.
    needle: Option<Vec<u8>>,
    /// Whether a request stands there.
    held: bool,
    over: bool,
    streams: Vec<TcpStream>,
}

impl Proxy {
    /// A link to a server that is as fast as the machine.
    pub fn start(system: &System, server: &str) -> Result<Proxy> {
        Proxy::slow(system, server, Speed::default())
    }

    /// A link to a server that is as slow as said.
    pub fn slow(system: &System, server: &str, speed: Speed) -> Result<Proxy> {
        let server = system.ports[system.index(server)?].client;
        let listener = crate::ports::free_listener()?;
        let port = listener.local_addr().map_err(io("binding a proxy"))?.port();
        let state = Mutex::default();
        let shared = Arc::new(Shared { server, speed, state, changed: Condvar::new() });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if accepting.lock().over {
                    return;
                }
                // A server that is down refuses, and so does its proxy.
                let _ = stream.and_then(|client| join(&accepting, client));
            }
        });
        Ok(Proxy { port, shared })
    }

    /// `nats://user:password@127.0.0.1:port` for the first user of an account.
    pub fn url(&self, system: &System, account: &str) -> Result<String> {
        let user = system.user_of(account)?;
        Ok(format!("nats://{}:{}@127.0.0.1:{}", user.name, user.password, self.port))
    }

    /// `nats://127.0.0.1:port`, without a user.
    pub fn address(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// From now on the first request on this subject, and everything its client sends after it, is
    /// held back until [`Proxy::release`].
    pub fn hold(&self, subject: &str) {
        self.shared.lock().needle = Some(format!("PUB {subject} ").into_bytes());
    }

    /// Waits until the request has come.
    pub fn wait_held(&self) -> Result<()> {
        let (begin, limit) = (Instant::now(), PATIENCE);
        let mut state = self.shared.lock();
        while !state.held {
            let waited = begin.elapsed();
            if waited >= limit {
                let what = "a client sends the request that is to be held".to_owned();
                return Err(KitError::Timeout { what, waited, last: "it did not".to_owned() });
            }
            state = self
                .shared
                .changed
                .wait_timeout(state, limit.saturating_sub(waited))
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        Ok(())
    }

    /// Lets the request pass.
    pub fn release(&self) {
        let mut state = self.shared.lock();
        (state.needle, state.held) = (None, false);
        self.shared.changed.notify_all();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.over = true;
        state.streams.iter().for_each(close);
        drop(state);
        self.shared.changed.notify_all();
        // Wakes the thread that accepts, which then sees that it is over.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How much of what a client sent may pass. Waits while a request is held.
    fn pass(&self, bytes: &[u8], pass: &mut dyn FnMut(&[u8])) -> usize {
        let Some(needle) = self.lock().needle.clone() else {
            pass(bytes);
            return bytes.len();
        };
        let Some(at) = bytes.windows(needle.len()).position(|window| window == needle) else {
            // What could be the beginning of the request waits for the rest of it.
            let begun = (1..needle.len()).rev().find(|&n| bytes.ends_with(&needle[..n]));
            let free = bytes.len() - begun.unwrap_or(0);
            pass(&bytes[..free]);
            return free;
        };
        pass(&bytes[..at]);
        let mut state = self.lock();
        state.held = true;
        self.changed.notify_all();
        while state.needle.as_ref() == Some(&needle) && !state.over {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        drop(state);
        pass(&bytes[at..]);
        bytes.len()
    }
}

fn join(shared: &Arc<Shared>, client: TcpStream) -> std::io::Result<()> {
    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, shared.server))?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
        let kept = stream.try_clone()?;
        shared.lock().streams.push(kept);
    }
    pump(shared, client.try_clone()?, server.try_clone()?, true);
    pump(shared, server, client, false);
    Ok(())
}

/// Carries bytes in one direction until one side closes, and then closes both.
fn pump(shared: &Arc<Shared>, mut from: TcpStream, to: TcpStream, requests: bool) {
    let (queue, pieces) = sync_channel(QUEUE);
    let speed = shared.speed;
    thread::spawn(move || deliver(&pieces, to, speed));
    let shared = Arc::clone(shared);
    thread::spawn(move || {
        let mut piece = [0; PIECE];
        let mut pending = Vec::new();
        while let Ok(length @ 1..) = from.read(&mut piece) {
            pending.extend_from_slice(&piece[..length]);
            let mut pass = |bytes: &[u8]| send(&queue, bytes, speed.latency);
            let passed = if requests {
                shared.pass(&pending, &mut pass)
            } else {
                pass(&pending);
                pending.len()
            };
            pending.drain(..passed);
        }
        close(&from);
    });
}

fn send(queue: &SyncSender<(Instant, Vec<u8>)>, bytes: &[u8], latency: Duration) {
    // The other side may have closed, which the next read tells.
    let _ = queue.send((Instant::now() + latency, bytes.to_vec()));
}

fn deliver(pieces: &Receiver<(Instant, Vec<u8>)>, mut to: TcpStream, speed: Speed) {
    while let Ok((due, bytes)) = pieces.recv() {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if let Some(rate) = speed.bytes_per_s {
            let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            thread::sleep(Duration::from_secs(1) * length / rate.max(1));
        }
        if to.write_all(&bytes).is_err() {
            break;
        }
    }
    close(&to);
}

fn close(stream: &TcpStream) {
    // Fails if it is closed already.
    let _ = stream.shutdown(Shutdown::Both);
}
