INSERT INTO orders (id, placed_at) VALUES (:id, now());
SELECT emit('OrderPlaced', json_object('id', :id));
