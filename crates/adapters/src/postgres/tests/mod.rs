//! The store in PostgreSQL, put to the ports' suites and to failures that have a defined answer.
