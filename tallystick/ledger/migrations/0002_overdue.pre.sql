-- Whether the promise of five minutes was broken for this effect and counted so: once, whoever counts and restarts.
ALTER TABLE effect ADD COLUMN overdue boolean NOT NULL DEFAULT false;
