GRANT pgq_admin, pgq_writer, pgq_reader TO admin WITH ADMIN OPTION;
