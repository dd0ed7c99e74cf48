//! PostgreSQL's own words: the commands that make and run a server, and the address for its clients. Must not run them.

use std::path::Path;

/// Who may do everything, and the database to begin with.
pub(super) const USER: &str = "pilotage";
pub(super) const DATABASE: &str = "postgres";

/// In the part's folder: the server's data, and the password while it is handed over.
const DATA: &str = "data";
pub(super) const PASSWORD: &str = "password";

/// What differs from PostgreSQL's own choice: loopback alone, no socket file, and sessions for many tests at once. What makes
/// a commit durable is as it is in earnest.
const SETTINGS: &[&str] = &[
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=200",
    "shared_buffers=128MB",
    "log_line_prefix=%m [%p] %d ",
];

/// The command that makes the data folder. It reads the password from its file.
pub(super) fn init_command(programs: &Path, folder: &Path) -> Vec<String> {
    let text = |path: std::path::PathBuf| path.display().to_string();
    let mut words = vec![
        text(programs.join("initdb")),
        format!("--pgdata={}", text(folder.join(DATA))),
        format!("--username={USER}"),
        format!("--pwfile={}", text(folder.join(PASSWORD))),
        "--auth=scram-sha-256".to_owned(),
        "--encoding=UTF8".to_owned(),
        "--no-locale".to_owned(),
        // The folder is made anew each time: only what comes later must survive a power loss.
        "--no-sync".to_owned(),
    ];
    for setting in SETTINGS {
        words.extend(["--set".to_owned(), (*setting).to_owned()]);
    }
    words
}

/// The command that runs the server.
pub(super) fn server_command(programs: &Path, folder: &Path, port: u16) -> Vec<String> {
    let program = programs.join("postgres").display().to_string();
    let data = folder.join(DATA).display().to_string();
    vec![program, "-D".to_owned(), data, "-p".to_owned(), port.to_string()]
}

/// The address for clients. The password must need no escape.
pub(super) fn url(password: &str, port: u16) -> String {
    format!("postgres://{USER}:{password}@127.0.0.1:{port}/{DATABASE}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_made_and_run_in_its_folder_and_on_loopback() {
        let (programs, folder) = (Path::new("/bin"), Path::new("/run/postgres"));
        let init = init_command(programs, folder).join(" ");
        for words in [
            "/bin/initdb --pgdata=/run/postgres/data --username=pilotage",
            "--pwfile=/run/postgres/password --auth=scram-sha-256",
            "--set listen_addresses=127.0.0.1 --set unix_socket_directories= --set max_con",
        ] {
            assert!(init.contains(words), "{init}");
        }
        assert!(!init.contains("fsync="), "a commit is as durable as in earnest");
        let server = server_command(programs, folder, 5432).join(" ");
        assert_eq!(server, "/bin/postgres -D /run/postgres/data -p 5432");
    }

    #[test]
    fn clients_are_told_user_password_port_and_database() {
        assert_eq!(url("abc", 5432), "postgres://pilotage:abc@127.0.0.1:5432/postgres");
    }
}
