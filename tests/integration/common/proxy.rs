//! A proxy that cuts connections: what lies between a runner and an AgentOS on a bad day.

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

/// Forwards everything to one server, but for the answers to `POST .../runs...`: the first of them is cut after so many
/// bytes, the next after so many, and so on; when the list is at its end, nothing is cut any more.
pub(crate) struct CuttingProxy {
    address: SocketAddr,
    plan: Arc<Plan>,
    thread: Option<thread::JoinHandle<()>>,
}

struct Plan {
    upstream: String,
    cuts: Mutex<Vec<usize>>,
    /// The first lines of the requests that could be cut.
    asked: Mutex<Vec<String>>,
    /// How many bytes of their answers have passed.
    passed: AtomicUsize,
    stop: AtomicBool,
}

impl CuttingProxy {
    /// Before the server at `base_url`.
    pub(crate) fn new(base_url: &str, cuts: impl Into<Vec<usize>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let upstream = base_url.strip_prefix("http://").unwrap().to_owned();
        let plan = Arc::new(Plan {
            upstream,
            cuts: Mutex::new(cuts.into()),
            asked: Mutex::default(),
            passed: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
        });
        let thread = thread::spawn({
            let plan = Arc::clone(&plan);
            move || {
                for client in listener.incoming().flatten() {
                    if plan.stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let plan = Arc::clone(&plan);
                    thread::spawn(move || plan.serve(&client));
                }
            }
        });
        Self { address, plan, thread: Some(thread) }
    }

    /// `http://127.0.0.1:<port>`, without a slash at its end.
    pub(crate) fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The first lines of the requests that could be cut, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.plan.asked.lock().unwrap().clone()
    }
}

impl CuttingProxy {
    /// How many bytes of answers to such requests have passed.
    pub(crate) fn passed(&self) -> usize {
        self.plan.passed.load(Ordering::Relaxed)
    }
}

impl Drop for CuttingProxy {
    fn drop(&mut self) {
        self.plan.stop.store(true, Ordering::Relaxed);
        // Wakes `accept`.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Plan {
    fn serve(self: &Arc<Self>, client: &TcpStream) {
        let Ok(server) = TcpStream::connect(&self.upstream) else { return };
        // How many more bytes of the answer pass.
        let budget: Arc<Mutex<Option<usize>>> = Arc::default();
        let up = thread::spawn({
            let (plan, budget) = (Arc::clone(self), Arc::clone(&budget));
            let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            move || {
                let mut buffer = [0; 16 << 10];
                while let Ok(count @ 1..) = from.read(&mut buffer) {
                    let text = String::from_utf8_lossy(&buffer[..count]);
                    let line = text.lines().next().unwrap_or_default().to_owned();
                    if line.starts_with("POST /") && line.contains("/runs") {
                        let mut cuts = plan.cuts.lock().unwrap();
                        *budget.lock().unwrap() = (!cuts.is_empty()).then(|| cuts.remove(0));
                        plan.asked.lock().unwrap().push(line);
                    }
                    if to.write_all(&buffer[..count]).is_err() {
                        break;
                    }
                }
                let _ = to.shutdown(Shutdown::Write);
            }
        });
        let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
        let mut buffer = [0; 16 << 10];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            let (pass, cut) = match &mut *budget.lock().unwrap() {
                None => (count, false),
                Some(left) => {
                    let pass = count.min(*left);
                    *left -= pass;
                    (pass, *left == 0)
                }
            };
            if !self.asked.lock().unwrap().is_empty() {
                self.passed.fetch_add(pass, Ordering::Relaxed);
            }
            if to.write_all(&buffer[..pass]).is_err() || cut {
                break;
            }
        }
        let _ = client.shutdown(Shutdown::Both);
        let _ = server.shutdown(Shutdown::Both);
        let _ = up.join();
    }
}
