-- Not as a command should be: its effect depends on how often it was tried.
INSERT INTO notices VALUES (:account, attempt());
