//! Kafka's own words: the settings of a node, and the commands that format and run one. Must not run them.

use std::path::Path;

/// One node, which is broker and controller at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub(super) id: i32,
    /// The port for clients, and for the other brokers.
    pub(super) clients: u16,
    /// The port for the other controllers.
    pub(super) controller: u16,
}

/// Sixteen bytes, as Kafka writes them: `pilotage-test-01`.
const CLUSTER: &str = "cGlsb3RhZ2UtdGVzdC0wMQ";
/// Enough for tests, and what three nodes of can live beside a build.
const HEAP: &str = "-Xmx384m";

/// The node's settings, in a cluster of these nodes.
///
/// Topics are made by whoever needs one: a name that was mistyped must not become a topic. Sessions may be short, so that a
/// test need not wait long for a member to be given up. All else is as Kafka has it, or as one node needs it.
pub(super) fn settings(node: Node, cluster: &[Node], folder: &Path) -> String {
    let copies = cluster.len();
    let in_sync = copies.div_ceil(2);
    let voter = |node: &Node| format!("{}@127.0.0.1:{}", node.id, node.controller);
    let voters: Vec<String> = cluster.iter().map(voter).collect();
    let Node { id, clients, controller } = node;
    let (voters, data) = (voters.join(","), folder.join("data"));
    format!(
        "node.id={id}\n\
         process.roles=broker,controller\n\
         controller.quorum.voters={voters}\n\
         listeners=PLAINTEXT://127.0.0.1:{clients},CONTROLLER://127.0.0.1:{controller}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{clients}\n\
         listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\n\
         controller.listener.names=CONTROLLER\n\
         inter.broker.listener.name=PLAINTEXT\n\
         log.dirs={data}\n\
         auto.create.topics.enable=false\n\
         default.replication.factor={copies}\n\
         min.insync.replicas={in_sync}\n\
         offsets.topic.replication.factor={copies}\n\
         offsets.topic.num.partitions=8\n\
         transaction.state.log.replication.factor={copies}\n\
         transaction.state.log.min.isr={in_sync}\n\
         transaction.state.log.num.partitions=8\n\
         share.coordinator.state.topic.replication.factor={copies}\n\
         share.coordinator.state.topic.min.isr={in_sync}\n\
         group.initial.rebalance.delay.ms=0\n\
         group.min.session.timeout.ms=1000\n",
        data = data.display()
    )
}

/// In the node's folder: its settings, and where Java unpacks libraries.
pub(super) const SETTINGS: &str = "server.properties";
pub(super) const UNPACKED: &str = "unpacked";

/// The command that makes the node's data folder.
pub(super) fn format_command(jars: &Path, folder: &Path) -> Vec<String> {
    let settings = folder.join(SETTINGS).display().to_string();
    let words =
        ["kafka.tools.StorageTool", "format", "--cluster-id", CLUSTER, "--config", &settings];
    java(jars, folder, &words)
}

/// The command that runs the node.
pub(super) fn server_command(jars: &Path, folder: &Path) -> Vec<String> {
    let settings = folder.join(SETTINGS).display().to_string();
    java(jars, folder, &["kafka.Kafka", &settings])
}

fn java(jars: &Path, folder: &Path, words: &[&str]) -> Vec<String> {
    let unpacked = format!("-Djava.io.tmpdir={}", folder.join(UNPACKED).display());
    let options = [
        "java",
        HEAP,
        "-XX:+ExitOnOutOfMemoryError",
        // No file among those of other users.
        "-XX:-UsePerfData",
        &unpacked,
        "-Djava.net.preferIPv4Stack=true",
        "-Dorg.slf4j.simpleLogger.showDateTime=true",
        "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
        // Else what went wrong stands above a hundred lines about closing down. What becomes of groups is worth reading.
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-Dorg.slf4j.simpleLogger.log.kafka.coordinator.group=info",
        "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.coordinator.group=info",
        "-cp",
    ];
    let jars = jars.join("*").display().to_string();
    let all = options.iter().copied().chain([jars.as_str()]).chain(words.iter().copied());
    all.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(count: u16) -> Vec<Node> {
        let node = |id: u16| Node { id: i32::from(id), clients: 100 + id, controller: 200 + id };
        (1..=count).map(node).collect()
    }

    /// The value of a setting.
    fn value(settings: &str, name: &str) -> Option<String> {
        let lines = settings.lines().filter_map(|line| line.split_once('='));
        lines.filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned()).next()
    }

    #[test]
    fn three_nodes_keep_three_copies_and_go_on_with_two() {
        let nodes = nodes(3);
        let settings = settings(nodes[1], &nodes, Path::new("/run/kafka-2"));
        for (name, expected) in [
            ("node.id", "2"),
            ("controller.quorum.voters", "1@127.0.0.1:201,2@127.0.0.1:202,3@127.0.0.1:203"),
            ("listeners", "PLAINTEXT://127.0.0.1:102,CONTROLLER://127.0.0.1:202"),
            ("advertised.listeners", "PLAINTEXT://127.0.0.1:102"),
            ("log.dirs", "/run/kafka-2/data"),
            ("default.replication.factor", "3"),
            ("min.insync.replicas", "2"),
            ("offsets.topic.replication.factor", "3"),
            ("transaction.state.log.min.isr", "2"),
        ] {
            assert_eq!(value(&settings, name).as_deref(), Some(expected), "{name}");
        }
    }

    #[test]
    fn one_node_is_enough_for_itself() {
        let nodes = nodes(1);
        let settings = settings(nodes[0], &nodes, Path::new("/f"));
        let copies = settings.lines().filter(|l| l.contains(".factor") || l.contains("insync"));
        let copies: Vec<&str> = copies.collect();
        assert_eq!(copies.len(), 5);
        assert!(copies.iter().all(|line| line.ends_with("=1")), "{copies:?}");
        assert!(!settings.contains("0.0.0.0") && !settings.contains("://:"), "loopback alone");
    }

    #[test]
    fn the_classes_are_kafkas_own_on_all_jars_of_the_folder() {
        let (jars, folder) = (Path::new("/jars"), Path::new("/f"));
        let server = server_command(jars, folder).join(" ");
        assert!(server.starts_with("java -Xmx384m "), "{server}");
        assert!(server.ends_with(" -cp /jars/* kafka.Kafka /f/server.properties"), "{server}");
        let format = format_command(jars, folder).join(" ");
        let end = "kafka.tools.StorageTool format --cluster-id cGlsb3RhZ2UtdGVzdC0wMQ \
                   --config /f/server.properties";
        assert!(format.ends_with(end), "{format}");
    }
}
