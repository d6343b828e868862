INSERT INTO notices VALUES (:account, :cents);
SELECT emit('Notified', json_object('account', :account));
