-- Takes the goods from stock and writes the order, or rejects it when there are not enough left.
UPDATE stock SET available = available - :quantity WHERE sku = :sku AND available >= :quantity;
SELECT reject('out_of_stock', 'no ' || :quantity || ' of ' || :sku || ' left') WHERE changes() = 0;
INSERT INTO orders (id, customer, sku, quantity, created_at)
VALUES (:id, :customer, :sku, :quantity, now());
SELECT emit('OrderCreated', json_object('id', :id, 'customer', :customer));
