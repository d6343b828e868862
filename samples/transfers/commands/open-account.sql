SELECT reject('exists', 'account ' || :account || ' is open already')
 WHERE EXISTS (SELECT 1 FROM accounts WHERE id = :account);
INSERT INTO accounts (id, cents) VALUES (:account, :cents);
SELECT emit('AccountOpened', json_object('account', :account));
