-- Tokens of sessions lay here as they are; from now on only their hashes do. Everybody signs in once more.
DELETE FROM "session";
