//! What ends a server when this program is gone without having done so itself, as by SIGKILL.

use std::process::Stdio;

use rustix::process::Pid;
use tokio::process::{Child, Command};

/// Waits for the end of its input, which comes when nobody holds the other end any more; then ends the group: asks
/// first, kills after a grace.
const SCRIPT: &str = "\
trap '' INT TERM HUP
read -r _
kill -s TERM -- \"-$1\"
for _ in 1 2 3 4 5; do
    sleep 1
    kill -s 0 -- \"-$1\" || exit
done
kill -s KILL -- \"-$1\"
";

/// A shell that outlives this program, and the server by moments. It ends with this value.
#[derive(Debug)]
pub(super) struct Keeper(Option<Child>);

impl Keeper {
    /// Keeps watch over a process group. Where there is no shell, nobody does.
    pub(super) fn of(group: Pid) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "streamgauge-keeper", &group.as_raw_nonzero().to_string()]);
        // Ctrl-C at a terminal goes to the whole group of this program.
        command.process_group(0).kill_on_drop(true);
        // Only the input ties it to this program: whoever waits for the end of our output must not wait for it.
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().ok())
    }

    /// The group has ended.
    pub(super) async fn dismiss(mut self) {
        if let Some(keeper) = &mut self.0 {
            // One that has ended by itself is as good.
            let _ = keeper.kill().await;
        }
    }
}
