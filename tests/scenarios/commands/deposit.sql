-- Without the key's rules it would not matter, but the primary key of entries would tell of a second run.
SELECT reject('no_account', 'there is no account ' || :account)
 WHERE NOT EXISTS (SELECT 1 FROM accounts WHERE id = :account);
SELECT fail('broken', 'somebody broke it') WHERE (SELECT value FROM settings WHERE name = 'broken') = 1;
UPDATE accounts SET balance = balance + :cents WHERE id = :account;
INSERT INTO entries VALUES (command_id(), :account, :cents, now());
SELECT emit('Deposited', json_object('account', :account, 'cents', :cents));
