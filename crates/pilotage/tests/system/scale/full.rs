//! A database without room: every row that it is to write needs a block on a device that is always full, so that what refuses
//! is the system itself, by the server's own means. Must not hinder what needs no room.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use super::stack::Stack;
use crate::installation::Installation;

/// What a process says that is told so.
pub(super) const REFUSAL: &str = "No space left on device (SQLSTATE 53100)";

/// While it is there, the database has no room.
pub(super) struct Full<'a> {
    installation: &'a Installation,
    tables: Vec<String>,
    /// Of a table of ours without a row, and where the real one waits.
    file: PathBuf,
    aside: PathBuf,
}

impl<'a> Full<'a> {
    /// Fills the disk under the installation, whose database is the stack's.
    pub(super) fn of(stack: &Stack, installation: &'a Installation) -> Self {
        let ask = |statement: &str| installation.ask_database(statement);
        let tables = ask("SELECT tablename FROM pg_tables WHERE schemaname = 'pilotage'");
        assert!(!tables.is_empty(), "it is an installation's database");
        ask("CREATE TABLE public.room (taken integer)");
        ask("CREATE FUNCTION public.take_room() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN INSERT INTO public.room VALUES (1); RETURN NULL; END $$");
        let path =
            ask("SELECT pg_relation_filepath('public.room')").pop().expect("a table has a file");
        let file = stack.data().join(path);
        // Nobody is to have the link written to the disk.
        ask("CHECKPOINT");
        let aside = file.with_extension("aside");
        fs::rename(&file, &aside).expect("it is ours");
        symlink("/dev/full", &file).expect("it is ours");
        for table in &tables {
            // One by one: whoever locks several at a time may stand in a fold's way for ever.
            ask(&format!(
                "CREATE TRIGGER room AFTER INSERT OR UPDATE ON pilotage.{table}
                 FOR EACH ROW EXECUTE FUNCTION public.take_room()"
            ));
        }
        Self { installation, tables, file, aside }
    }

    /// There is room again.
    pub(super) fn end(self) {
        let ask = |statement: &str| self.installation.ask_database(statement);
        for table in &self.tables {
            ask(&format!("DROP TRIGGER room ON pilotage.{table}"));
        }
        fs::remove_file(&self.file).expect("it is ours");
        fs::rename(&self.aside, &self.file).expect("it is ours");
        assert_eq!(ask("SELECT count(*) FROM public.room"), ["0"], "it has never taken a row");
        ask("DROP FUNCTION public.take_room");
        ask("DROP TABLE public.room");
    }
}
