SELECT reject('no_account', 'there is no account ' || :to)
 WHERE NOT EXISTS (SELECT 1 FROM accounts WHERE id = :to);
UPDATE accounts SET cents = cents - :cents WHERE id = :from AND cents >= :cents;
SELECT reject('insufficient_funds', 'account ' || :from || ' has less than ' || :cents)
 WHERE changes() = 0;
UPDATE accounts SET cents = cents + :cents WHERE id = :to;
INSERT INTO ledger (command_id, from_account, to_account, cents)
VALUES (command_id(), :from, :to, :cents);
SELECT emit('Transferred', json_object('from', :from, 'to', :to, 'cents', :cents));
